#include "emulator/cli/measure_options.hpp"

#include <CLI/CLI.hpp>

#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/restart_options.hpp"

namespace fabricast {
namespace {

void add_sweep_options(CLI::App& command, MeasureArguments& arguments) {
  command.add_option("--collective,-c", arguments.collective,
                     "all_reduce, all_gather, reduce_scatter, broadcast, all_to_all; a,b or all");
  command.add_option("--algorithm,-a", arguments.algorithm,
                     "ring, tree, hierarchical, pairwise or an algorithm file (MSCCL .xml, MSCCL++ "
                     ".json), which decides collective, ranks and channels; a,b or all");
  command.add_option("-b", arguments.min, "smallest size (nccl-tests letters: 8, 64K, 1G)");
  command.add_option("-e", arguments.max, "largest size");
  command.add_option("-f", arguments.factor, "factor between sizes");
  command.add_option("-i", arguments.increment, "increment between sizes, instead of -f")
      ->excludes(command.get_option("-f"));
  command
      .add_option("-n", arguments.iterations,
                  "iterations per size; 0: until the median is known (docs/measuring.md)")
      ->check(CLI::Range(0, 1'000'000));
  command
      .add_option("-w", arguments.warmup, "warm-up iterations, of all sizes before any is timed")
      ->check(CLI::Range(0, 1'000'000));
  command.add_option("-d", arguments.type, "element type: float, half, bfloat16, int32");
  command.add_option("--op", arguments.op, "reduction: sum, min, max");
  command.add_option(
      "--protocol", arguments.protocol,
      "ll, ll128, simple or all, of the cuda executor (default simple), of host with "
      "--check-only, or of what --synthetic draws (default all for nccl, simple for cuda and "
      "peers, "
      "none for hosts; peers has multimem, too)");
  command.add_flag("--multimem", arguments.multimem,
                   "all_reduce by nvls in the NVSwitch itself (cuda executor under mpirun; compute "
                   "capability 9.0); samples of a suite of their own");
  command.add_flag("--in-place", arguments.in_place, "one buffer for input and output");
  command
      .add_option("--channels", arguments.channels,
                  "channels of a schedule; 0: one; with --synthetic, as emulate takes them")
      ->check(CLI::Range(0, 64));
  command
      .add_option("--ranks", arguments.ranks, "ranks of a host or cuda executor; 0: all there is")
      ->check(CLI::Range(0, 1 << 20));
  command
      .add_option("--budget", arguments.budget,
                  "seconds for the whole sweep; what does not fit is named")
      ->check(number_between(0, 1e9));
}

void add_nccl_options(CLI::App& command, MeasureArguments& arguments) {
  const char* group = "NCCL executor";
  command
      .add_flag("--symmetric", arguments.symmetric,
                "buffers in symmetric windows (NCCL 2.27); samples of a suite of their own")
      ->group(group);
  command
      .add_flag("--graph", arguments.graph,
                "launch as a CUDA graph; samples of a suite of their own")
      ->group(group);
  command
      .add_flag("--share-gpus", arguments.share_gpus,
                "several processes per GPU through distinct host ids: correctness only")
      ->group(group)
      ->needs(command.get_option("--check-only"));
  command
      .add_flag("--no-estimate", arguments.no_estimate,
                "do not ask NCCL's model what it expects (ncclGroupSimulateEnd)")
      ->group(group);
  command
      .add_option("--deadline", arguments.deadline,
                  "seconds without an answer after which the NCCL communicator is aborted")
      ->group(group)
      ->check(number_between(0.1, 1e6));
}

void add_synthetic_options(CLI::App& command, MeasureArguments& arguments) {
  const char* group = "Synthetic machine";
  CLI::Option* synthetic =
      command
          .add_option("--synthetic", arguments.synthetic,
                      "draw samples from the model of this machine (name or YAML) instead of "
                      "measuring")
          ->group(group);
  // They describe the machine that is made up; a real one would ignore them.
  const auto add = [&](const char* name, auto& value, const char* text) {
    return command.add_option(name, value, text)->group(group)->needs(synthetic);
  };
  add("--set", arguments.settings,
      "the truth: ID=VALUE or ID=xFACTOR, e.g. nvlink.efficiency=x0.5");
  add("--noise", arguments.noise, "standard deviation of ln(time)")->check(number_between(0, 1));
  add("--outliers", arguments.outliers, "share of the samples that are disturbed")
      ->check(number_between(0, 0.5));
  add("--seed", arguments.seed, "seed of the noise");
  // What only a real measurement does.
  for (const char* real :
       {"-w", "--budget", "--machine", "--check-only", "--no-check", "--in-place", "--resume",
        "--multimem", "--symmetric", "--graph", "--share-gpus", "--no-estimate", "--deadline"}) {
    synthetic->excludes(command.get_option(real));
  }
}

}  // namespace

void add_measure_options(CLI::App& command, MeasureArguments& arguments) {
  command.add_option("--executor", arguments.executor,
                     "auto (nccl on 2 GPUs or more, cuda on one, else mpi or host), nccl, cuda "
                     "(under mpirun a GPU per process), mpi, host; with --synthetic also peers "
                     "(cuda between GPUs), and auto is nccl");
  command.add_option("--machine,-m", arguments.machine,
                     "machine these ranks are (name or YAML); default: discovered");
  add_sweep_options(command, arguments);
  command.add_flag("--check-only", arguments.check_only,
                   "verify the data and time nothing; allowed with more ranks than cores");
  command.add_flag("--no-check", arguments.no_check, "do not verify the data");
  command.add_option("--output,-o", arguments.output, "trace file to write the samples to (HDF5)");
  add_restart_options(command, arguments.resume, arguments.force);
  for (const char* option : {"--force", "--resume"}) {
    command.get_option(option)->needs(command.get_option("-o"));
  }
  command.add_flag("--json", arguments.json, "JSON instead of the table");
  add_nccl_options(command, arguments);
  add_synthetic_options(command, arguments);
}

}  // namespace fabricast
