// fabricast measure: run collectives for real, or draw samples from the synthetic machine.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "bench/harness/executor_choice.hpp"
#include "bench/harness/measurement_trace.hpp"
#include "bench/harness/measurement_view.hpp"
#include "bench/harness/recording.hpp"
#include "bench/harness/sweep_cases.hpp"
#include "bench/harness/synthetic.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/progress.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/base/version.hpp"
#include "emulator/cli/algorithm_files.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/local_machine.hpp"
#include "emulator/cli/measure_options.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/cli/restart_options.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Of a real measurement; empty: the executor's usual one.
std::vector<HandOff> hand_offs_from(const std::string& name) {
  if (name.empty()) return {};
  if (name == "all") return {std::begin(hand_offs), std::end(hand_offs)};
  for (const HandOff hand_off : hand_offs) {
    if (to_string(hand_off) == name) return {hand_off};
  }
  const std::vector<std::string> known{"simple", "ll", "ll128", "all"};
  throw UsageError(unknown_name_message("protocol", name, known));
}

MeasureOptions options_from(const MeasureArguments& arguments, const AlgorithmFiles& files = {}) {
  MeasureOptions options;
  options.collectives =
      collectives_option(files, "-c", arguments.collective, arguments.collective_given);
  options.algorithms = algorithm_list("-a", arguments.algorithm).names;
  options.files = files;
  options.min_bytes = size_option("-b", arguments.min);
  options.max_bytes = size_option("-e", arguments.max);
  options.factor = arguments.factor;
  if (!arguments.increment.empty()) options.increment = size_option("-i", arguments.increment);
  options.channels = arguments.channels > 0 ? arguments.channels : 1;
  options.type = data_type_from_name(arguments.type);
  options.op = reduce_op_from_name(arguments.op);
  if (arguments.synthetic.empty()) options.hand_offs = hand_offs_from(arguments.protocol);
  options.in_place = arguments.in_place;
  options.multimem = arguments.multimem;
  options.symmetric = arguments.symmetric;
  options.graph = arguments.graph;
  options.check = !arguments.no_check;
  options.check_only = arguments.check_only;
  options.warmup = arguments.warmup;
  options.iterations = arguments.iterations;
  options.budget_seconds = arguments.budget;
  return options;
}

std::vector<std::int64_t> sizes_from(const MeasureOptions& options) {
  return options.increment > 0
             ? linear_sizes(options.min_bytes, options.max_bytes, options.increment)
             : sweep_sizes(options.min_bytes, options.max_bytes, options.factor);
}

// What would fail at the end is refused at the beginning.
void validate(const MeasureArguments& arguments) {
  if (arguments.executor != "auto") executor_from_name(arguments.executor);
  sizes_from(options_from(arguments));
  if (arguments.check_only && arguments.no_check) {
    throw UsageError("--check-only and --no-check leave nothing to do: drop one of them");
  }
  if (arguments.check_only && !arguments.output.empty()) {
    throw UsageError(
        "--check-only times nothing, so there are no samples for -o FILE: drop one of them");
  }
  if (!arguments.output.empty() && !arguments.resume)
    check_writable(arguments.output, arguments.force);
}

// What the files decide: collective, ranks and reduction where nobody said, and the labels of the
// algorithms. Throws UsageError where an option says otherwise than a file.
MeasureArguments settled(MeasureArguments arguments, const AlgorithmFiles& files) {
  if (files.empty()) return arguments;
  if (arguments.executor != "auto") refuse_files(files, executor_from_name(arguments.executor));
  expect_ranks(files, "--ranks", arguments.ranks);
  expect_channels(files, "--channels", arguments.channels);
  if (arguments.in_place) expect_in_place(files, "--in-place");
  const auto list = algorithm_list("-a", arguments.algorithm);
  const auto collectives =
      collectives_option(files, "-c", arguments.collective, arguments.collective_given);
  arguments.op =
      reduction_option(files, "--op", arguments.op, arguments.op_given, list.names.empty());
  std::vector<std::string> names;
  for (const Collective collective : collectives) names.emplace_back(to_string(collective));
  arguments.collective = fmt::format("{}", fmt::join(names, ","));
  arguments.collective_given = true;
  const auto& first = *files.front();
  for (const auto& file : files) {
    if (file->ranks() == first.ranks()) continue;
    throw UsageError(fmt::format("-a: {} is for {} ranks and {} for {}: measure one at a time",
                                 first.path, first.ranks(), file->path, file->ranks()));
  }
  arguments.ranks = first.ranks();
  return arguments;
}

// What decides the samples, as /config stores it.
std::string config_yaml(const MeasureArguments& arguments, const std::string& executor,
                        const AlgorithmFiles& files = {}) {
  std::string text = "measure:\n";
  const auto line = [&](const char* key, const auto& value) {
    text += fmt::format("  {}: {}\n", key, value);
  };
  line("executor", executor);
  line("collective", arguments.collective);
  if (files.empty()) {
    line("algorithm", arguments.algorithm);
  } else {
    line("algorithms",
         fmt::format("[{}]", fmt::join(algorithm_list("-a", arguments.algorithm).names, ", ")));
    text += algorithm_files_yaml(files, "  ");
  }
  line("min_bytes", parse_size(arguments.min));
  line("max_bytes", parse_size(arguments.max));
  if (arguments.increment.empty()) {
    line("factor", arguments.factor);
  } else {
    line("increment_bytes", parse_size(arguments.increment));
  }
  line("dtype", to_string(data_type_from_name(arguments.type)));
  line("redop", to_string(reduce_op_from_name(arguments.op)));
  line("iterations", arguments.iterations);
  line("channels", arguments.channels);
  line("ranks", arguments.ranks);
  if (arguments.synthetic.empty()) {
    if (!arguments.protocol.empty()) line("protocol", arguments.protocol);
    line("warmup", arguments.warmup);
    line("in_place", arguments.in_place);
    if (arguments.multimem) line("multimem", true);
    if (arguments.symmetric) line("symmetric", true);
    if (arguments.graph) line("graph", true);
    line("budget_s", arguments.budget);
    return text;
  }
  line("synthetic", fmt::format("\"{}\"", arguments.synthetic));
  const ExecutorKind kind = executor_from_name(executor);
  const auto protocols = usual_protocols(kind);
  const std::string usual = protocols.size() > 1 || protocols == protocols_of(kind)
                                ? "all"
                                : std::string(to_string(protocols.front()));
  line("protocol", arguments.protocol.empty() ? usual : arguments.protocol);
  line("noise_ln", arguments.noise);
  line("outlier_rate", arguments.outliers);
  line("seed", arguments.seed);
  text += "  set: [";
  for (std::size_t i = 0; i < arguments.settings.size(); ++i) {
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", arguments.settings[i]);
  }
  return text + "]\n";
}

void publish(const MeasureArguments& arguments, const MeasureReport& report,
             const Topology& machine, const TraceOrigin& origin, RunRecord* record) {
  fmt::print("{}", arguments.json ? measurements_json(report, arguments.op)
                                  : render_measurements(report, arguments.op));
  if (arguments.output.empty()) return;
  auto content = measurement_trace(report.samples, machine, origin);
  if (record != nullptr) content.attributes.merge(record->content().attributes);
  const bool replace = record != nullptr ? record->replaces() : arguments.force;
  write_trace(arguments.output, content, WriteOptions{replace});
  if (record != nullptr) record->finish();
  if (!arguments.json) fmt::print("# trace {}\n", arguments.output);
}

// The synthetic machine computes; one process is enough.
void draw(const MeasureArguments& arguments) {
  auto topology = load_machine(arguments.synthetic);
  if (arguments.ranks > 0) topology = with_ranks(topology, arguments.ranks);
  const MeasureOptions measure = options_from(arguments);
  if (const auto paths = algorithm_list("-a", arguments.algorithm).paths; !paths.empty()) {
    throw UsageError(
        fmt::format("-a {}: the synthetic machine draws samples of our own algorithms for "
                    "calibrate, which fits "
                    "no others: use emulate to predict a file",
                    paths.front()));
  }
  SyntheticOptions options;
  options.executor =
      arguments.executor == "auto" ? ExecutorKind::nccl : executor_from_name(arguments.executor);
  options.collectives = measure.collectives;
  options.algorithms = measure.algorithms;
  if (arguments.protocol == "all") {
    options.protocols = protocols_of(options.executor);
  } else if (!arguments.protocol.empty()) {
    options.protocols = {protocol_from_name(arguments.protocol)};
  }
  options.sizes = sizes_from(measure);
  options.channels = arguments.channels;
  options.element_bytes = size_of(measure.type);
  options.dtype = std::string(to_string(measure.type));
  if (arguments.iterations > 0) options.iterations = arguments.iterations;
  options.noise_ln = arguments.noise;
  options.outlier_rate = arguments.outliers;
  options.seed = arguments.seed;
  auto truth = values_of(prior_profile(*topology, options.executor));
  for (const auto& setting : arguments.settings) apply_setting(setting, truth);

  const MeasureReport report = report_of(draw_samples(*topology, truth, options));
  log_info(
      fmt::format("synthetic machine {}: samples are drawn from the forward model, nothing is "
                  "measured ({})",
                  topology->name(), describe_noise(options)));
  publish(arguments, report, *topology,
          {"synthetic", this_command_line(),
           config_yaml(arguments, std::string(to_string(options.executor))),
           std::to_string(arguments.seed)},
          nullptr);
}

// The machine the samples belong to: the one all processes are on, or a part of the one named.
std::shared_ptr<const Topology> machine_of(const MeasureArguments& arguments,
                                           const Communicator& world,
                                           const ExecutorChoice& choice) {
  if (arguments.machine.empty()) {
    return local_machine(world, choice, arguments.multimem && !arguments.check_only);
  }
  auto machine = parse_machine(
      agree(world, [&] { return load_machine(arguments.machine)->yaml(); }), arguments.machine);
  const bool on_cores = measures_cores(choice.kind);
  const bool of_cores = machine->gpu().generation == "host";
  if (on_cores != of_cores) {
    throw UsageError(fmt::format(
        "the {} executor measures {}, but {} is a machine of {} (samples must belong to what was "
        "measured): leave --machine out, or use --synthetic {} to draw samples from its model",
        to_string(choice.kind), on_cores ? "host cores" : "GPUs", machine->name(),
        of_cores ? "host cores" : "GPUs", machine->name()));
  }
  const auto ranks = choice.executor->max_ranks();
  return machine->ranks() > ranks ? with_ranks(machine, ranks) : machine;
}

void announce(const ExecutorChoice& choice, const Communicator& world) {
  const std::string line =
      fmt::format("measuring with the {} executor: {} | {}", choice.executor->name(), choice.why,
                  choice.executor->description());
  if (!choice.fallback) {
    log_info(line);
  } else if (world.is_root()) {
    log_warning(line);
  }
}

// True when the trace is there already.
bool open_record(const MeasureArguments& arguments, const ExecutorChoice& choice,
                 const Topology& machine, const Communicator& world, const AlgorithmFiles& files,
                 std::optional<RunRecord>& record) {
  if (arguments.output.empty()) return false;
  const std::string kind(to_string(choice.kind));
  RunIdentity identity;
  identity.trace = arguments.output;
  identity.config = fmt::format(
      "command: measure\nsoftware: {}\nmachine: {}\nmachine_ranks: {}\nprocesses: {}\n{}",
      version(), machine.name(), machine.ranks(), world.size(),
      config_yaml(arguments, kind, files));
  identity.attributes = run_attributes(kind, this_command_line());
  const RunStart start = run_start(arguments.resume, arguments.force);
  record.emplace(identity, start);  // first: it waits for one that is just ending
  const bool complete = already_complete(identity, start);
  TraceAssembly frame;
  frame.add_machine(machine);
  record->frame(0, frame.finish(config_yaml(arguments, kind, files), nullptr, {}));
  return complete;
}

// Errors name the file that asks for so many ranks.
ExecutorChoice executor_for(const MeasureArguments& arguments, const Communicator& world,
                            const AlgorithmFiles& files) {
  const NcclOptions nccl{arguments.deadline, arguments.share_gpus, !arguments.no_estimate};
  try {
    auto choice =
        choose_executor(arguments.executor, world, arguments.ranks, nccl, arguments.multimem);
    const NcclOptions usual;
    if (choice.kind != ExecutorKind::nccl &&
        (nccl.deadline_seconds != usual.deadline_seconds || nccl.share_gpus || !nccl.estimate)) {
      throw UsageError(
          fmt::format("--deadline, --share-gpus and --no-estimate are options of the nccl "
                      "executor, this is {}: "
                      "leave them out",
                      to_string(choice.kind)));
    }
    return choice;
  } catch (const UsageError& error) {
    if (files.empty()) throw;
    throw UsageError(fmt::format("{} (an algorithm for {} ranks): {}", files.front()->path,
                                 files.front()->ranks(), error.what()));
  }
}

int run_measure(const MeasureArguments& given) {
  const auto world = Communicator::world();
  const StoppableRun stoppable;
  agree_that(world, [&] {
    validate(given);
    if (!given.synthetic.empty()) draw(given);
  });
  if (!given.synthetic.empty()) return 0;
  const auto files = load_algorithm_files(world, algorithm_list("-a", given.algorithm).paths);
  const auto arguments = together([&] { return settled(given, files); });
  agree_that(world, [&] {
    for (const auto& file : files) prove(*file, arguments.in_place);
  });
  const auto choice = together([&] { return executor_for(arguments, world, files); });
  const auto machine = together([&] { return machine_of(arguments, world, choice); });
  auto options = options_from(arguments, files);
  options.communicator = world.size() > 1 ? &world : nullptr;
  options.peers = choice.kind == ExecutorKind::cuda && world.size() > 1;
  // A named machine must hold all ranks; more host ranks than cores share them (--check-only).
  const bool holds = machine->ranks() == choice.executor->max_ranks();
  if (holds || !arguments.machine.empty()) options.space = machine->space();
  together([&] { check_sweep(*choice.executor, choice.kind, machine->name(), options); });
  announce(choice, world);
  std::optional<RunRecord> record;  // rank 0's, with -o
  const bool complete =
      agree(world, [&] {
        return std::string(open_record(arguments, choice, *machine, world, files, record) ? "yes"
                                                                                          : "no");
      }) == "yes";
  if (complete) {
    agree_that(world, [&] { show_complete(arguments.output, *record); });
    return 0;
  }
  auto report = together([&] {
    std::unique_ptr<ProgressBar> drawn;
    return measure_sweep(
        *choice.executor, choice.kind, machine->name(), options,
        [&](int, int total) {
          if (!drawn) {
            drawn =
                std::make_unique<ProgressBar>("measure", total, ProgressBar::wanted(world.rank()));
          }
          drawn->advance();
        },
        recording_sink(record ? &*record : nullptr, 0, false));
  });
  report.samples.environment["executor_choice"] = choice.why;
  enter_phase(RunPhase::write);
  agree_that(world, [&] {
    const std::string kind(to_string(choice.kind));
    publish(arguments, report, *machine,
            {kind, this_command_line(), config_yaml(arguments, kind, files), "0"},
            record ? &*record : nullptr);
  });
  return 0;
}

}  // namespace

void add_measure_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<MeasureArguments>();
  auto* command =
      app.add_subcommand("measure", "run collectives for real and keep every sample (mpirun-able)");
  add_measure_options(*command, *arguments);
  command->callback([&run, arguments, command] {
    arguments->collective_given = command->count("-c") > 0;
    arguments->op_given = command->count("--op") > 0;
    run = [arguments] { return run_measure(*arguments); };
  });
}

}  // namespace fabricast
