// fabricast emulate: machine + collective sweep + profile -> trace and table. mpirun-able.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/harness/sweep_sizes.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/progress.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/base/version.hpp"
#include "emulator/cli/algorithm_files.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/emulate_jobs.hpp"
#include "emulator/cli/emulate_notes.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/cli/restart_options.hpp"
#include "emulator/cli/trace_options.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/ensemble_tables.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/coordinator/library_tables.hpp"
#include "emulator/coordinator/profile_choice.hpp"
#include "emulator/coordinator/profile_text.hpp"
#include "emulator/coordinator/recorded_stage.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/coordinator/unused_numbers.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/trace/sha256.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct EmulateOptions {
  std::vector<std::string> set;
  std::string machine, collective = "all_reduce", protocol = "auto", nccl_version;
  std::optional<std::string> algorithm;  // none: all, or auto where NCCL is told something
  std::string executor, profile,  // executor: empty for what the machine is measured with
      output, min = "8", max = "16G";
  double factor = 2;
  std::int32_t channels = 0, slices = 0, slots = 0, ranks = 0;
  std::vector<std::string> slow;
  bool no_fold = false, stats = false, force = false, resume = false, best = false, collective_given = false;
  std::string jitter, engine = "auto", routing, jobs;
  std::int32_t members = default_members;
  std::int64_t seed = 0;
  TraceArguments trace;
};

// Files have their own protocol, ranks, channels and slices.
void check_against_files(const EmulateOptions& options, ExecutorKind executor,
                         const AlgorithmList& asked, const AlgorithmFiles& files) {
  expect_ranks(files, "--ranks", options.ranks);
  expect_channels(files, "--channels", options.channels);
  for (const auto& file : files) {
    if (options.slices > 1 && asked.names.empty()) {
      throw UsageError(fmt::format("--slices {}: {} sends whole chunks: leave --slices out",
                                   options.slices, file->path));
    }
    const auto own = protocol_of_file(file->imported.protocol);
    const bool other = options.protocol != "auto" && protocol_from_name(options.protocol) != own;
    if (other && executor == ExecutorKind::nccl) {
      throw UsageError(fmt::format("--protocol {}: {} is for protocol {}: leave --protocol out",
                                   options.protocol, file->path, to_string(own)));
    }
  }
}

// What only the sweep can do.
void check_against_engine(const Scenario& scenario) {
  if (!scenario.engine.flow) return;
  std::string what;
  if (scenario.ensemble.on()) what = "--jitter";
  if (scenario.trace.level == TraceLevel::steps) what = "--trace steps";
  if (scenario.executor == ExecutorKind::cuda) what = "--executor cuda";
  if (what.empty()) return;
  throw UsageError(fmt::format(
      "{} is not for the flow engine (it times whole messages on links, once); use --engine sweep", what));
}

ExecutorKind executor_of(const EmulateOptions& options, const Topology& topology) {
  return modeled_executor(options.executor, topology);
}

AlgorithmList asked_algorithms(const EmulateOptions& options) {
  const std::string text = options.algorithm.value_or("all");
  return algorithm_list("-a", text == "auto" ? "all" : text);
}

Scenario scenario_from(const EmulateOptions& options, const Topology& topology,
                       const AlgorithmFiles& files, const Jitter& jitter,
                       std::shared_ptr<const NcclChooser> library) {
  Scenario scenario;
  scenario.ensemble = {jitter, options.members, options.seed};
  scenario.machine = topology.name();
  scenario.ranks = topology.ranks();
  scenario.executor = executor_of(options, topology);
  scenario.library = std::move(library);
  const auto asked = asked_algorithms(options);
  scenario.collectives =
      collectives_option(files, "-c", options.collective, options.collective_given);
  scenario.algorithms = asked.names;
  scenario.files = files;
  check_against_files(options, scenario.executor, asked, files);
  if (options.protocol != "auto") {
    scenario.protocols = {protocol_from_name(options.protocol)};
    const auto offered = protocols_of(scenario.executor);
    if (std::find(offered.begin(), offered.end(), scenario.protocols.front()) == offered.end()) {
      throw UsageError(fmt::format("executor {} has no protocol {}; use --protocol auto",
                                   to_string(scenario.executor), options.protocol));
    }
  }
  scenario.sizes = sweep_sizes(size_option("-b", options.min), size_option("-e", options.max), options.factor);
  scenario.channels = options.channels;
  scenario.changes.slots = options.slots;
  for (const auto& text : options.slow) scenario.changes.slow.push_back(slow_element_from(text));
  SlowElements(topology, scenario.changes.slow);  // throws for what the machine does not have
  scenario.max_slices = options.slices;
  scenario.fold = !options.no_fold;
  scenario.trace = trace_choice(options.trace);
  scenario.engine = engine_choice(options.engine, options.routing);
  check_against_engine(scenario);
  return scenario;
}

std::vector<std::string> machine_settings(const EmulateOptions& options) {
  auto settings = options.set;
  std::erase_if(settings, is_library_variable);
  return settings;
}

std::shared_ptr<const NcclChooser> library_choice_of(const EmulateOptions& options,
                                                       const Topology& machine) {
  LibraryQuestion question;
  question.executor = executor_of(options, machine);
  question.algorithm = options.algorithm;
  question.protocol = options.protocol;
  question.version = options.nccl_version;
  question.set = options.set;
  question.channels = options.channels;
  question.more = options.channels > 0 || options.slices > 0 || options.best ||
                  options.engine == "flow" || !options.routing.empty();
  return answer(question, machine);
}

std::shared_ptr<const Topology> machine_of(const EmulateOptions& options, const std::string& yaml) {
  if (options.ranks < 0 || options.ranks == 1) {
    throw UsageError(fmt::format("--ranks {}: a collective has at least two ranks (0: all of them)",
                                 options.ranks));
  }
  auto topology = parse_machine(yaml, options.machine);
  return options.ranks > 0 ? with_ranks(topology, options.ranks) : topology;
}

// Numbers that somebody wrote for this run and that change nothing; of a machine that ships only on
// request.
void note_unused(const EmulateOptions& options, const Topology& whole, const Topology& used,
                 ExecutorKind executor) {
  const auto unused = unused_numbers(whole, used, executor);
  if (unused.empty()) return;
  const std::string text =
      fmt::format("no row depends on these numbers of the machine: {}", fmt::join(unused, ", "));
  const bool ships = !is_machine_path(options.machine) && machine_settings(options).empty();
  ships ? log_detail(text) : log_info(text);
}

void print_flow_stats(const Emulation& emulation, const Scenario& scenario) {
  const auto& stats = emulation.stats;
  fmt::print("# engine: flow ({}), routing {}; {} flows, {} events in {:.4f} s ({:.3g} events/s), state {:.2f} MB\n",
             scenario.engine.why, to_string(scenario.engine.routes.routing), stats.flows,
             stats.flow_events, stats.engine_seconds,
             stats.engine_seconds > 0 ? static_cast<double>(stats.flow_events) / stats.engine_seconds : 0.0,
             static_cast<double>(stats.state_bytes) / 1e6);
  for (const auto& p : emulation.predictions) {
    fmt::print("# {} {} {} B {}: {} flows, {} events, {} classes of {} ranks, state {:.2f} MB, {:.4f} s\n",
               to_string(p.point.collective), p.point.algorithm, p.point.bytes,
               to_string(p.point.protocol), p.flows, p.flow_events, p.classes, p.ranks,
               static_cast<double>(p.state_bytes) / 1e6, p.engine_seconds);
  }
}

void print_stats(const Emulation& emulation, const Scenario& scenario) {
  if (scenario.engine.flow) {
    print_flow_stats(emulation, scenario);
    return;
  }
  const auto& stats = emulation.stats;
  fmt::print("# engine: sweep ({})\n", scenario.engine.why);
  fmt::print("# engine: {} updates in {:.4f} s ({:.3g} updates/s), state {:.2f} MB, instruction set {}\n",
             stats.updates, stats.engine_seconds,
             stats.engine_seconds > 0 ? static_cast<double>(stats.updates) / stats.engine_seconds : 0.0,
             static_cast<double>(stats.state_bytes) / 1e6, stats.instruction_set);
  for (const auto& p : emulation.predictions) {
    fmt::print("# {} {} {} B {}: {} updates, {} classes of {} ranks, {:.4f} s{}\n",
               to_string(p.point.collective), p.point.algorithm, p.point.bytes,
               to_string(p.point.protocol), p.updates, p.classes, p.ranks, p.engine_seconds,
               p.fold_note.empty() ? "" : " (" + p.fold_note + ")");
  }
}

// Everything that decides the rows: what a resumed run must have in common with the first.
RunIdentity identity_of(const EmulateOptions& options, const Scenario& scenario,
                        const Topology& topology, const CalibrationProfile& profile) {
  RunIdentity identity;
  identity.trace = options.output;
  identity.config = fmt::format(
      "command: emulate\nsoftware: {}\n{}machine_sha256: {}\nprofile_sha256: {}\n", version(),
      scenario.to_yaml(), sha256_hex(topology.yaml()), sha256_hex(to_text(profile)));
  identity.attributes = run_attributes("model", this_command_line());
  identity.attributes.merge(note_attributes(scenario.executor, topology));
  if (auto line = what_if({options.set, options.slow, options.slots, options.jitter, {}}); !line.empty()) identity.attributes["what_if"] = line;
  if (auto lines = not_of_the_library(scenario, topology); !lines.empty()) identity.attributes["not_of_the_library"] = lines;
  if (scenario.ensemble.on()) identity.attributes["seed"] = std::to_string(options.seed);
  if (scenario.engine.flow) {
    identity.attributes["seed"] = std::to_string(scenario.engine.routes.seed);
  }
  return identity;
}

void publish(const EmulateOptions& options, const Scenario& scenario, const Topology& topology,
             const CalibrationProfile& profile, RunRecord& record) {
  TraceContent content = record.content();
  if (scenario.fold && !scenario.engine.flow) {
    TraceAssembly classes;
    classes.add_rank_classes(topology, profile, largest_points(content.at("/results"), scenario),
                             scenario.changes);
    for (Table& table : classes.take().tables) content.tables.push_back(std::move(table));
  }
  write_trace(options.output, content, WriteOptions{record.replaces()});
  record.finish();
  log_note_on_steps(content);
  TableOptions view;
  view.best = options.best;
  const auto shown = shown_rows(content, view);
  fmt::print("{}", render_table(content, view));
  fmt::print("{}{}{}", render_ensembles(content, shown), render_library_choices(content, shown), what_if_line(content));
  fmt::print("# trace {} content_digest {}\n{}", options.output, content_digest(content), library_lines(content, shown));
}

int run_emulate(const EmulateOptions& options) {
  if (!options.jobs.empty()) {
    return emulate_jobs({options.machine, options.jobs, options.executor, options.profile, options.output,
                         options.engine, options.set, options.force, options.stats});
  }
  const auto world = Communicator::world();
  const StoppableRun stoppable;
  const RunStart start = run_start(options.resume, options.force);
  const auto files = load_algorithm_files(world, asked_algorithms(options).paths);
  const auto jitter = choose_jitter(world, options.jitter);
  std::shared_ptr<const NcclChooser> library;
  const auto yaml = agree(world, [&] {
    if (options.output.empty()) throw UsageError("emulate needs -o FILE to write its trace to");
    if (start != RunStart::resume) check_writable(options.output, options.force);
    const auto topology = load_machine(options.machine, machine_settings(options));
    const auto machine = machine_of(options, topology->yaml());
    library = library_choice_of(options, *machine);
    std::vector<std::string> notes;
    const auto scenario = scenario_from(options, *machine, files, jitter, library);
    points_of(scenario, *machine, &notes);
    for (const auto& note : notes) log_info(note);
    if (const auto note = cut_note(*topology, *machine); !note.empty()) log_info(note);
    if (const auto note = one_pipe_note(*machine, scenario.collectives); !note.empty()) log_info(note);
    note_unused(options, *topology, *machine, scenario.executor);
    check_step_rows(step_rows_at_most(scenario, *machine));
    for (const auto& file : files) prove(*file, false);
    return topology->yaml();
  });
  const auto topology = machine_of(options, yaml);
  if (!library) library = library_choice_of(options, *topology);
  auto scenario = scenario_from(options, *topology, files, jitter, library);
  enter_phase(RunPhase::calibrate);
  const auto profile = profile_from_text(agree(world, [&] {
    const auto choice = choose_profile(*topology, scenario.executor, protocols_for(scenario),
                                       options.profile);
    scenario.profile = choice.origin;  // only rank 0 writes /config
    return to_text(choice.profile);
  }));

  std::optional<RunRecord> record;  // rank 0's
  const bool complete = agree(world, [&] {
    const auto identity = identity_of(options, scenario, *topology, profile);
    record.emplace(identity, start);  // first: it waits for one that is just ending
    const bool there = already_complete(identity, start);
    return std::string(there ? "yes" : "no");
  }) == "yes";
  if (complete) {
    agree_that(world, [&] { show_complete(options.output, *record); });
    return 0;
  }
  const auto points = static_cast<std::int64_t>(points_of(scenario, *topology).size());
  ProgressBar bar("emulate " + topology->name(), (points + world.size() - 1) / world.size(),
                  ProgressBar::wanted(world.rank()));
  const auto emulation = emulate_stage(world, *topology, profile, scenario, 0,
                                       record ? &*record : nullptr, [&bar] { bar.advance(); });
  enter_phase(RunPhase::write);
  agree_that(world, [&] {
    publish(options, scenario, *topology, profile, *record);
    fmt::print("{}", note_lines(note_attributes(scenario.executor, *topology)));
    if (options.stats) print_stats(emulation, scenario);
  });
  return 0;
}

void add_engine_options(CLI::App& command, EmulateOptions& options) {
  command.add_option("--engine", options.engine,
                      "sweep (every link divided once), flow (messages share links as they come and "
                      "go; docs/flow.md) or auto: sweep, unless --routing or --jobs asks for flows");
  command.add_option("--routing", options.routing,
                      "how the flow engine uses parallel uplinks: spray, ecmp[:SEED], dmodk or rail");
  auto* jobs = command.add_option(
      "--jobs", options.jobs,
      "YAML file of jobs that share the machine, with routing, placement and faults (docs/flow.md): "
      "time of each alone and beside the others");
  // The file says it, or it does not apply.
  for (const char* other : {"-c", "-a", "--protocol", "-b", "-e", "-f", "--ranks", "--channels", "--slices",
                            "--jitter", "--slots", "--slow", "--routing", "--no-fold", "--best", "--trace",
                            "--trace-class", "--trace-window", "--nccl-version", "--resume"}) {
    jobs->excludes(command.get_option(other));
  }
}

}  // namespace

void add_emulate_command(CLI::App& app, CommandBody& run) {
  auto options = std::make_shared<EmulateOptions>();
  auto* command = app.add_subcommand("emulate", "predict collectives on a modeled machine (mpirun-able)");
  command
      ->add_option("--machine,-m", options->machine,
                   "machine name, YAML file, or NODExN[@FABRIC]: hgx-h100x16@roce-400")
      ->required();
  command->add_option("--set", options->set,
                      "change a key of the machine: --set fabric.rails=4 --set count=32; or, with -a auto, "
                   "a variable of NCCL's: --set NCCL_ALGO=ring")
      ->allow_extra_args(false);
  command->add_option("--collective,-c", options->collective,
                      "all_reduce, all_gather, reduce_scatter, broadcast, all_to_all; a,b or all");
  command->add_option(
      "--algorithm,-a", options->algorithm,
      "auto (what NCCL itself takes for each size, as fabricast explain says), all, ring, tree, "
      "hierarchical, pairwise ... a,b, or an algorithm file (MSCCL .xml, MSCCL++ .json) for as many "
      "ranks as it has; default: all, or auto with --nccl-version or --set NCCL_...");
  command->add_option("--nccl-version", options->nccl_version,
                      "with -a auto: 2.18 to 2.30; default 2.28.9");
  command->add_option(
      "--protocol", options->protocol,
      "auto (the fastest that the executor has for the collective: nccl has no ll128 for "
      "all_to_all; cuda and peers: simple), ll, ll128, simple, multimem, none");
  command->add_option("--executor", options->executor, "whose cost: nccl, cuda, peers, host, mpi; default: nccl, host for a machine of cores");
  command->add_option(
      "--profile", options->profile,
      "trace written by calibrate or run, of this very machine or one that a transfer rule knows; "
      "default: priors");
  command->add_option("-b", options->min, "smallest size (nccl-tests letters: 8, 64K, 16G)");
  command->add_option("-e", options->max, "largest size");
  command->add_option("-f", options->factor, "factor between sizes");
  command->add_option("--ranks", options->ranks,
                      "use only the first ranks of the machine, at least 2; 0: all");
  command->add_option("--channels", options->channels, "channels (not with -a auto); 0: the machine's own rule, or one for peers")
      ->check(CLI::Range(0, 64));
  command->add_option("--slices", options->slices, "messages per chunk at most; 0: the protocol's rule")
      ->check(CLI::Range(0, 7));
  auto* jitter = command->add_option(
      "--jitter", options->jitter,
      "how steps vary from run to run: lognormal:SIGMA, exponential:MEAN, pareto:P:ALPHA, "
      "spike:P:FACTOR or measured:TRACE (docs/jitter.md); rows get p50, p95 and p99");
  command->add_option("--members", options->members, "runs drawn for each row under --jitter")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(jitter);
  command->add_option("--seed", options->seed, "seed of the draws")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 53))
      ->needs(jitter);
  command->add_option("--slots", options->slots,
                      "slots of every connection; 0: the schedule's own number")
      ->check(CLI::Range(0, 1024));
  command->add_option("--slow", options->slow,
                      "what is slower than the machine file says, such as rank=17:x1.3, nic=R:xF, "
                      "link=NAME:xF or rack=D:xF; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--no-fold", options->no_fold, "evaluate every rank, no symmetric classes");
  command->add_flag("--stats", options->stats, "print updates, classes, state bytes, engine seconds");
  command->add_flag("--best", options->best, "print only the fastest algorithm of each size");
  command->add_option("--output,-o", options->output, "trace file to write (HDF5); required");
  add_trace_options(*command, options->trace);
  add_restart_options(*command, options->resume, options->force);
  add_engine_options(*command, *options);
  command->callback([&run, options, command] {
    options->collective_given = command->count("-c") > 0;
    run = [options] { return run_emulate(*options); };
  });
}

}  // namespace fabricast
