// fabricast run: the main job. discover -> measure -> calibrate -> emulate -> trace, table, plot.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/harness/executor_choice.hpp"
#include "bench/harness/recording.hpp"
#include "bench/harness/sweep_sizes.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/progress.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/base/version.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/local_machine.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/cli/restart_options.hpp"
#include "emulator/cli/trace_options.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/coordinator/library_tables.hpp"
#include "emulator/coordinator/profile_text.hpp"
#include "emulator/coordinator/recorded_stage.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/report/plot.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/sha256.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

const std::vector<Collective> main_collectives = {Collective::all_reduce, Collective::all_gather,
                                                  Collective::reduce_scatter, Collective::all_to_all};

constexpr std::int32_t measuring = 0;  // the first stage; the emulated machines follow

struct RunArguments {
  std::string output, machines = "gb300-nvl72,gb300-nvl72x140", executor = "auto";
  std::string min = "8", max = "16G", measure_max = "64M";
  double factor = 4, budget = 15;
  bool force = false, resume = false;
  TraceArguments trace;
};

std::string plot_of(const std::string& trace) {
  return fs::path(trace).replace_extension(".svg").string();
}

// trace.h5, or trace-2.h5, trace-3.h5 ... when it exists: a second run never destroys the first. To
// resume: the first that has an interrupted run.
std::string free_name(bool resume) {
  const auto name_of = [](int i) { return i == 1 ? std::string("trace.h5") : fmt::format("trace-{}.h5", i); };
  for (int i = 1; resume && fs::exists(name_of(i)); ++i) {
    if (is_segment_folder(segment_folder_of(name_of(i + 1)))) return name_of(i + 1);
  }
  for (int i = 1;; ++i) {
    const std::string name = name_of(i);
    const bool interrupted = is_segment_folder(segment_folder_of(name));
    if (resume && interrupted) return name;
    if (!interrupted && !fs::exists(name) && !fs::exists(plot_of(name))) return name;
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

// One machine with its profile, as it was emulated.
struct Emulated {
  std::shared_ptr<const Topology> topology;
  CalibrationProfile profile;
  Scenario scenario;
};

struct Local {
  std::shared_ptr<const Topology> topology;
  ExecutorChoice choice;
};

void warn_nothing_measured(const Communicator& world, const std::string& why) {
  if (!world.is_root()) return;
  log_warning(fmt::format("nothing is measured here, every row rests on priors: {}", why));
}

// Step 1: which machine this is and how its collectives run.
Local discover(const Communicator& world, const RunArguments& arguments) {
  Local local;
  local.choice = together([&] { return choose_executor(arguments.executor, world, 0); });
  log_info(fmt::format("measuring with executor {}: {}", to_string(local.choice.kind), local.choice.why));
  local.topology = together([&] { return local_machine(world, local.choice); });
  log_info(fmt::format("1/4 discover: {} ({})", local.topology->title(),
                       local.choice.executor->description()));
  refuse_this_machine(*local.topology, arguments);
  return local;
}

// Everything that decides the outcome: what a resumed run must have in common with the first.
RunIdentity identity_of(const std::string& output, const RunArguments& arguments, const Local& local,
                        const Communicator& world) {
  RunIdentity identity;
  identity.trace = output;
  auto& text = identity.config;
  text = fmt::format("command: run\nsoftware: {}\nhere: {}\nranks: {}\nexecutor: {}\nprocesses: {}\n",
                     version(), local.topology->name(), local.topology->ranks(),
                     to_string(local.choice.kind), world.size());
  text += fmt::format("min_bytes: {}\nmax_bytes: {}\nmeasure_max_bytes: {}\nfactor: {}\nbudget_s: {}\n",
                      size_option("-b", arguments.min), size_option("-e", arguments.max),
                      size_option("--measure-max", arguments.measure_max), arguments.factor, arguments.budget);
  text += trace_choice(arguments.trace).to_yaml();
  for (const auto& machine : machines_of(arguments)) {
    text += fmt::format("machine {}: sha256 {}\n", machine->name(), sha256_hex(machine->yaml()));
  }
  const auto backend = fmt::format("{} ({})", to_string(local.choice.kind), local.choice.why);
  identity.attributes = run_attributes(backend, this_command_line());
  return identity;
}

// Step 2: measures what the record does not have yet. False when this machine cannot be timed.
bool measure_here(const Communicator& world, const RunArguments& arguments, const Local& local,
                  RunRecord* record) {
  if (local.choice.executor->max_ranks() < 2) {
    warn_nothing_measured(world, "one rank moves nothing to another");
    return false;
  }
  std::int64_t finished = record != nullptr && record->has_frame(measuring) ? 1 : 0;
  world.broadcast(finished);
  if (finished != 0) {
    log_info("2/4 measure: done before");
    return true;
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
  SampleSet samples;
  try {
    samples = measure_collectives(*local.choice.executor, local.choice.kind, local.topology->name(),
                                  options, progress, recording_sink(record, measuring, true));
  } catch (const TimingRefused& error) {  // thrown by every process alike
    warn_nothing_measured(world, error.what());
    return false;
  }
  log_info(fmt::format("2/4 measure: {} conditions, {} samples", samples.conditions.size(),
                       samples.samples.size()));
  agree_that(world, [&] {
    SampleSet surroundings;
    surroundings.environment = samples.environment;
    TraceContent frame;
    add_sample_tables(surroundings, frame);
    record->frame(measuring, std::move(frame));
    record->flush();  // what cannot be measured a second time
  });
  return true;
}

// Whatever the profile will be.
Scenario scenario_for(const Topology& topology, ExecutorKind executor,
                      const RunArguments& arguments) {
  Scenario scenario;
  scenario.machine = topology.name();
  scenario.ranks = topology.ranks();
  scenario.executor = executor;
  scenario.trace = trace_choice(arguments.trace);
  scenario.collectives = main_collectives;
  scenario.sizes = sizes_of(arguments);
  // The same traffic as pairwise in another order, and as dear as all the rest together.
  constexpr std::int32_t large = 1000;
  if (topology.ranks() > large) scenario.left_out = {"grouped"};
  return scenario;
}

// Before anything is measured: would all machines together write too many steps?
void check_steps(const Local& local, const RunArguments& arguments) {
  if (trace_choice(arguments.trace).level != TraceLevel::steps) return;
  std::int64_t rows = 0;
  const auto count = [&](const Topology& topology, ExecutorKind executor) {
    if (topology.ranks() > 1)
      rows += step_rows_at_most(scenario_for(topology, executor, arguments), topology);
  };
  count(*local.topology, local.choice.kind);
  for (const auto& topology : machines_of(arguments)) count(*topology, ExecutorKind::nccl);
  check_step_rows(rows);
}

Emulated emulate_on(const Communicator& world, std::shared_ptr<const Topology> topology,
                    CalibrationProfile profile, const RunArguments& arguments, std::int32_t stage,
                    RunRecord* record) {
  auto scenario = scenario_for(*topology, profile.executor, arguments);
  const bool informed = std::any_of(
      profile.parameters.begin(), profile.parameters.end(),
      [](const ParameterValue& p) { return p.samples > 0 || !p.transfer_rule.empty(); });
  scenario.profile = informed ? "this run" : "prior";
  std::vector<std::string> notes;
  const auto points = static_cast<std::int64_t>(points_of(scenario, *topology, &notes).size());
  for (const auto& note : notes) log_info(note);
  for (const auto& name : scenario.left_out) {
    log_info(fmt::format("{}: {} is left out (fabricast emulate -a {} has it)", topology->name(),
                         name, name));
  }
  ProgressBar bar("4/4 emulate " + topology->name(), (points + world.size() - 1) / world.size(),
                  ProgressBar::wanted(world.rank()));
  emulate_stage(world, *topology, profile, scenario, stage, record, [&bar] { bar.advance(); });
  log_info(fmt::format("4/4 emulate {}: {} points, {} ranks", topology->name(), points, topology->ranks()));
  return {std::move(topology), std::move(profile), std::move(scenario)};
}

// Step 3 on rank 0; everyone gets the result.
CalibrationProfile calibrate_local(const Communicator& world, const Local& local,
                                   const RunRecord* record) {
  return profile_from_text(agree(world, [&] {
    const auto prior = prior_profile(*local.topology, local.choice.kind);
    CalibrateOptions options;
    options.library = library_rule();
    const auto profile =
        calibrate(*local.topology, prior, read_sample_tables(record->content()), options);
    log_info("3/4 calibrate: " + render_holdout(profile));
    warn_of_useless_fit(profile);
    return to_text(profile);
  }));
}

// Drawn from what is on disk, so that the plot shows exactly what the trace holds.
void publish_plot(const std::string& output, bool force) {
  const auto svg = render_busbw_svg(read_trace(output), PlotOptions{});
  publish_file(plot_of(output), std::as_bytes(std::span(svg)), force, [](const fs::path&) {});
}

void publish(const std::string& output, const std::vector<Emulated>& all, RunRecord& record) {
  TraceContent content = record.content();
  TraceAssembly classes;
  for (const auto& one : all) {
    classes.add_rank_classes(*one.topology, one.profile,
                             largest_points(content.at("/results"), one.scenario));
  }
  for (Table& table : classes.take().tables) content.tables.push_back(std::move(table));
  std::vector<const Topology*> machines;
  for (const auto& one : all) {
    if (one.scenario.executor == ExecutorKind::nccl) machines.push_back(one.topology.get());
  }
  const auto notes = note_attributes(machines);
  content.attributes.insert(notes.begin(), notes.end());
  write_trace(output, content, WriteOptions{record.replaces()});
  publish_plot(output, record.replaces());
  record.finish();
  log_note_on_steps(content);
  fmt::print("{}", render_table(content, TableOptions{}));
  fmt::print("{}", note_lines(notes));
  fmt::print("# trace {} (fabricast report {} --why ROW explains a row), plot {}\n", output, output,
             plot_of(output));
}

std::string check_arguments(const RunArguments& arguments, RunStart start) {
  std::string name = arguments.output.empty() ? free_name(arguments.resume) : arguments.output;
  if (start != RunStart::resume) {
    check_writable(name, arguments.force);
  }
  // An interrupted run may have published its trace and the plot, or only the trace.
  if (start != RunStart::resume || !fs::exists(name)) check_writable(plot_of(name), arguments.force);
  sizes_of(arguments);
  if (size_option("--measure-max", arguments.measure_max) < size_option("-b", arguments.min)) {
    throw UsageError(fmt::format(
        "--measure-max {} is below the smallest size (-b {}), so nothing would be measured here: "
        "raise --measure-max or lower -b",
        arguments.measure_max, arguments.min));
  }
  trace_choice(arguments.trace);
  if (arguments.executor != "auto") executor_from_name(arguments.executor);
  machines_of(arguments);
  return name;
}

int run_main_job(const RunArguments& arguments) {
  const auto world = Communicator::world();
  const StoppableRun stoppable;
  const RunStart start = run_start(arguments.resume, arguments.force);
  const auto output = agree(world, [&] { return check_arguments(arguments, start); });
  const auto local = discover(world, arguments);
  agree_that(world, [&] { check_steps(local, arguments); });
  std::optional<RunRecord> kept;  // rank 0's
  const bool complete = agree(world, [&] {
    const auto identity = identity_of(output, arguments, local, world);
    kept.emplace(identity, start);  // first: it waits for one that is just ending
    const bool there = already_complete(identity, start);
    return std::string(there ? "yes" : "no");
  }) == "yes";
  RunRecord* record = kept ? &*kept : nullptr;
  if (complete) {
    agree_that(world, [&] {
      // Interrupted after the trace: a plot that is there may be that of the trace before.
      if (record->replaces() || !fs::exists(plot_of(output))) publish_plot(output, record->replaces());
      show_complete(output, *record);
    });
    return 0;
  }
  const bool measured = together([&] { return measure_here(world, arguments, local, record); });

  std::int32_t stage = measuring;
  std::vector<Emulated> all;
  CalibrationProfile here;
  enter_phase(RunPhase::calibrate);
  if (measured) {
    here = calibrate_local(world, local, record);
    all.push_back(emulate_on(world, local.topology, here, arguments, ++stage, record));
  }
  for (auto& topology : machines_of(arguments)) {
    auto profile = prior_profile(*topology, ExecutorKind::nccl);
    if (!here.parameters.empty()) transfer(here, profile);
    all.push_back(emulate_on(world, std::move(topology), std::move(profile), arguments, ++stage, record));
  }
  enter_phase(RunPhase::write);
  agree_that(world, [&] { publish(output, all, *record); });
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
  command->add_option("-f", arguments->factor, "factor between sizes");
  command->add_option("--budget", arguments->budget, "seconds to spend on measuring")
      ->check(number_between(1, 3600));
  add_trace_options(*command, arguments->trace);
  add_restart_options(*command, arguments->resume, arguments->force);
  command->callback([&run, arguments] { run = [arguments] { return run_main_job(*arguments); }; });
}

}  // namespace fabricast
