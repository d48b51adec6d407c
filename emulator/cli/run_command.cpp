// fabricast run: the main job. discover -> measure -> calibrate -> emulate -> trace, table, plot.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/harness/executor_choice.hpp"
#include "bench/harness/harness.hpp"
#include "bench/harness/sweep_sizes.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/progress.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/local_machine.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/profile_text.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/report/plot.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/trace/publish.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

const std::vector<Collective> main_collectives = {Collective::all_reduce, Collective::all_gather,
                                                  Collective::reduce_scatter, Collective::all_to_all};

struct RunArguments {
  std::string output, machines = "gb300-nvl72,gb300-nvl72x140", executor = "auto";
  std::string min = "8", max = "16G", measure_max = "64M";
  double factor = 4, budget = 15;
  bool force = false;
};

std::string plot_of(const std::string& trace) {
  return fs::path(trace).replace_extension(".svg").string();
}

// trace.h5, or trace-2.h5, trace-3.h5 ... when it exists: a second run never destroys the first.
std::string free_name() {
  for (int i = 1;; ++i) {
    const std::string name = i == 1 ? "trace.h5" : fmt::format("trace-{}.h5", i);
    if (!fs::exists(name) && !fs::exists(plot_of(name))) return name;
  }
}

// The steps, and the largest size also where no step meets it.
std::vector<std::int64_t> sizes_of(const RunArguments& arguments) {
  const auto largest = size_option("-e", arguments.max);
  auto sizes = sweep_sizes(size_option("-b", arguments.min), largest, arguments.factor);
  if (sizes.back() < largest) sizes.push_back(largest);
  return sizes;
}

// The machines to emulate. Results are kept by name, so no two may share one.
std::vector<std::shared_ptr<const Topology>> machines_of(const RunArguments& arguments) {
  std::vector<std::shared_ptr<const Topology>> machines;
  for (const auto& asked : names_option("--machines", arguments.machines)) {
    auto machine = load_machine(asked);
    for (const auto& known : machines) {
      if (known->name() != machine->name()) continue;
      throw UsageError(fmt::format(
          "--machines has two machines named {} (rows are told apart by name): give one of them "
          "another name, or drop it",
          machine->name()));
    }
    machines.push_back(std::move(machine));
  }
  return machines;
}

// This machine is emulated anyway, with what was measured on it.
void refuse_this_machine(const Topology& here, const RunArguments& arguments) {
  for (const auto& machine : machines_of(arguments)) {
    if (machine->name() != here.name()) continue;
    throw AgreedError(ExitCode::usage,
                      fmt::format("--machines names {}, which is the name of the machine this runs "
                                  "on (it is emulated anyway): drop it, or rename the other one",
                                  here.name()));
  }
}

// One machine with its profile and what was predicted on it.
struct Emulated {
  std::shared_ptr<const Topology> topology;
  CalibrationProfile profile;
  Emulation emulation;
};

struct Local {
  std::shared_ptr<const Topology> topology;
  ExecutorKind kind{};
  std::string why;
  SampleSet samples;  // empty when this machine cannot be timed
};

void warn_nothing_measured(const Communicator& world, const std::string& why) {
  if (!world.is_root()) return;
  log_warning(fmt::format("nothing is measured here, every row rests on priors: {}", why));
}

// Steps 1 and 2: which machine this is and how its collectives run.
Local measure_here(const Communicator& world, const RunArguments& arguments) {
  Local local;
  const auto choice = together([&] { return choose_executor(arguments.executor, world, 0); });
  local.kind = choice.kind;
  local.why = choice.why;
  log_info(fmt::format("measuring with executor {}: {}", to_string(choice.kind), choice.why));
  local.topology = together([&] { return local_machine(world, choice); });
  log_info(fmt::format("1/4 discover: {} ({})", local.topology->title(), choice.executor->description()));
  refuse_this_machine(*local.topology, arguments);

  if (choice.executor->max_ranks() < 2) {
    warn_nothing_measured(world, "one rank moves nothing to another");
    return local;
  }
  MeasureOptions options;
  options.collectives = main_collectives;
  options.min_bytes = size_option("-b", arguments.min);
  options.max_bytes = std::min(size_option("--measure-max", arguments.measure_max), size_option("-e", arguments.max));
  options.factor = arguments.factor;
  options.budget_seconds = arguments.budget;
  options.communicator = &world;
  std::unique_ptr<ProgressBar> bar;
  int last = 0;
  const auto progress = [&](int done, int total) {
    if (!bar) bar = std::make_unique<ProgressBar>("2/4 measure", total, ProgressBar::wanted(world.rank()));
    bar->advance(done - last);
    last = done;
  };
  try {
    local.samples = measure_collectives(*choice.executor, choice.kind, local.topology->name(), options, progress);
  } catch (const TimingRefused& error) {  // thrown by every process alike
    warn_nothing_measured(world, error.what());
  }
  log_info(fmt::format("2/4 measure: {} conditions, {} samples", local.samples.conditions.size(),
                       local.samples.samples.size()));
  return local;
}

Scenario scenario_for(const Topology& topology, const CalibrationProfile& profile,
                      const RunArguments& arguments) {
  Scenario scenario;
  scenario.machine = topology.name();
  scenario.ranks = topology.ranks();
  scenario.executor = profile.executor;
  const bool informed = std::any_of(
      profile.parameters.begin(), profile.parameters.end(),
      [](const ParameterValue& p) { return p.samples > 0 || !p.transfer_rule.empty(); });
  scenario.profile = informed ? "this run" : "prior";
  scenario.collectives = main_collectives;
  scenario.sizes = sizes_of(arguments);
  // The same traffic as pairwise in another order, and as dear as all the rest together.
  constexpr std::int32_t large = 1000;
  if (topology.ranks() > large) scenario.left_out = {"grouped"};
  return scenario;
}

Emulated emulate_on(const Communicator& world, std::shared_ptr<const Topology> topology,
                    CalibrationProfile profile, const Scenario& scenario) {
  std::vector<std::string> notes;
  const auto points = static_cast<std::int64_t>(points_of(scenario, *topology, &notes).size());
  for (const auto& note : notes) log_info(note);
  for (const auto& name : scenario.left_out) {
    log_info(fmt::format("{}: {} is left out (fabricast emulate -a {} has it)", topology->name(),
                         name, name));
  }
  ProgressBar bar("4/4 emulate " + topology->name(), (points + world.size() - 1) / world.size(),
                  ProgressBar::wanted(world.rank()));
  auto emulation = emulate(world, *topology, profile, scenario, [&bar] { bar.advance(); });
  log_info(fmt::format("4/4 emulate {}: {} points, {} ranks", topology->name(), points, topology->ranks()));
  return {std::move(topology), std::move(profile), std::move(emulation)};
}

// Step 3 on rank 0; everyone gets the result.
CalibrationProfile calibrate_local(const Communicator& world, const Local& local) {
  return profile_from_text(agree(world, [&] {
    const auto prior = prior_profile(*local.topology, local.kind);
    const auto profile = calibrate(*local.topology, prior, local.samples);
    log_info("3/4 calibrate: " + render_holdout(profile));
    return to_text(profile);
  }));
}

void publish(const std::string& output, const RunArguments& arguments, const Local& local,
             const std::vector<Emulated>& all, const std::string& config) {
  TraceAssembly assembly;
  assembly.add_measurements(local.samples);
  for (const auto& one : all) {
    assembly.add_machine(*one.topology);
    assembly.add_profile(one.profile);
    assembly.add_predictions(*one.topology, one.emulation.predictions);
    assembly.add_rank_classes(*one.topology, one.profile, one.emulation.predictions);
  }
  const auto backend = fmt::format("{} ({})", to_string(local.kind), local.why);
  const auto content = assembly.finish(config, local.samples.samples.empty() ? nullptr : &local.samples,
                                       run_attributes(backend, this_command_line()));
  write_trace(output, content, WriteOptions{arguments.force});
  const std::string plot = plot_of(output);
  // Drawn from what is on disk, so that the plot shows exactly what the trace holds.
  const auto svg = render_busbw_svg(read_trace(output), PlotOptions{});
  publish_file(plot, std::as_bytes(std::span(svg)), arguments.force, [](const fs::path&) {});
  fmt::print("{}", render_table(content, TableOptions{}));
  fmt::print("# trace {} (fabricast report {} --why ROW explains a row), plot {}\n", output, output, plot);
}

int run_main_job(const RunArguments& arguments) {
  const auto world = Communicator::world();
  const auto output = agree(world, [&] {
    const std::string name = arguments.output.empty() ? free_name() : arguments.output;
    check_writable(name, arguments.force);
    check_writable(plot_of(name), arguments.force);
    sizes_of(arguments);
    if (size_option("--measure-max", arguments.measure_max) < size_option("-b", arguments.min)) {
      throw UsageError(fmt::format(
          "--measure-max {} is below the smallest size (-b {}), so nothing would be measured here: "
          "raise --measure-max or lower -b",
          arguments.measure_max, arguments.min));
    }
    if (arguments.executor != "auto") executor_from_name(arguments.executor);
    machines_of(arguments);
    return name;
  });
  const auto local = together([&] { return measure_here(world, arguments); });

  std::string config;
  std::vector<Emulated> all;
  CalibrationProfile here;
  if (!local.samples.samples.empty()) {
    here = calibrate_local(world, local);
    const auto scenario = scenario_for(*local.topology, here, arguments);
    config += scenario.to_yaml() + "---\n";
    all.push_back(emulate_on(world, local.topology, here, scenario));
  }
  for (auto& topology : machines_of(arguments)) {
    auto profile = prior_profile(*topology, ExecutorKind::nccl);
    if (!here.parameters.empty()) transfer(here, profile);
    const auto scenario = scenario_for(*topology, profile, arguments);
    config += scenario.to_yaml() + "---\n";
    all.push_back(emulate_on(world, std::move(topology), std::move(profile), scenario));
  }
  agree_that(world, [&] { publish(output, arguments, local, all, config); });
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<RunArguments>();
  auto* command = app.add_subcommand(
      "run", "the main job: measure here, calibrate, emulate a rack and a 10,080-GPU cluster, report");
  command->add_option("--output,-o", arguments->output, "trace file; default trace.h5, or the next free trace-N.h5");
  command->add_option("--machines", arguments->machines,
                      "machines to emulate, a,b; each name once");
  command->add_option("--executor", arguments->executor, "auto, host, mpi, cuda, nccl");
  command->add_option("-b", arguments->min, "smallest size (nccl-tests letters)");
  command->add_option("-e", arguments->max, "largest size to emulate");
  command->add_option("--measure-max", arguments->measure_max, "largest size to measure here");
  command->add_option("-f", arguments->factor, "factor between sizes (default 4)");
  command->add_option("--budget", arguments->budget, "seconds to spend on measuring")
      ->check(number_between(1, 3600));
  command->add_flag("--force", arguments->force, "replace an existing trace file");
  command->callback([&run, arguments] { run = [arguments] { return run_main_job(*arguments); }; });
}

}  // namespace fabricast
