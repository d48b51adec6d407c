// fabricast suites: micro-benchmarks of one GPU, or of a synthetic one; what identifies which
// parameter.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/harness/measurement_trace.hpp"
#include "bench/harness/synthetic.hpp"
#include "bench/suites/suite_runner.hpp"
#include "bench/suites/summary.hpp"
#include "bench/suites/synthetic_device.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/progress.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/local_machine.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/evidence_files.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct SuitesArguments {
  std::vector<std::string> names{"all"}, settings, show;
  std::string synthetic, machine, output, machine_file;
  double budget = 0, noise = 0.01, outliers = 0.01;
  std::uint64_t seed = 1;
  int iterations = 0;
  bool plan = false, force = false;
};

// The device a plan is made for where there is none: of the size of the first Hopper boards.
DeviceFacts example_device() {
  DeviceFacts facts = synthetic_device(*load_machine("hgx-h100"), {}, {})->facts();
  facts.name = "a GPU of an H100's size, none being here";
  return facts;
}

std::string plan_text(const SuitesArguments& arguments, const std::vector<const Suite*>& suites) {
  if (!arguments.synthetic.empty()) {
    const auto topology = load_machine(arguments.synthetic);
    return describe_plan(suites, synthetic_device(*topology, {}, {})->facts(), arguments.budget);
  }
  const CudaDeviceChoice choice = first_cuda_device();
  if (choice.device) return describe_plan(suites, choice.device->facts(), arguments.budget);
  return describe_plan(suites, example_device(), arguments.budget);
}

std::string config_yaml(const SuitesArguments& arguments, const std::vector<const Suite*>& suites) {
  std::string text = "suites:\n  names: [";
  for (const Suite* suite : suites) {
    text += (suite == suites.front() ? "" : ", ") + suite->facts().name;
  }
  text +=
      fmt::format("]\n  budget_s: {}\n  iterations: {}\n", arguments.budget, arguments.iterations);
  if (arguments.synthetic.empty()) return text;
  text +=
      fmt::format("  synthetic: \"{}\"\n  noise_ln: {}\n  outlier_rate: {}\n  seed: {}\n  set: [",
                  arguments.synthetic, arguments.noise, arguments.outliers, arguments.seed);
  for (std::size_t i = 0; i < arguments.settings.size(); ++i) {
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", arguments.settings[i]);
  }
  return text + "]\n";
}

// The device and the machine its samples belong to.
struct Subject {
  std::unique_ptr<DeviceUnderTest> device;
  std::shared_ptr<const Topology> machine;
  std::map<std::string, std::string> environment;
  std::string backend = "cuda";
};

Subject synthetic_subject(const SuitesArguments& arguments) {
  Subject subject;
  subject.machine = load_machine(arguments.synthetic);
  subject.backend = "synthetic";
  if (subject.machine->gpu().generation == "host") {
    throw UsageError(fmt::format("--synthetic {}: a machine of cores has no GPU to measure",
                                 arguments.synthetic));
  }
  auto truth = values_of(prior_profile(*subject.machine, ExecutorKind::cuda));
  for (const auto& setting : arguments.settings) apply_setting(setting, truth);
  SyntheticDeviceOptions options;
  options.noise_ln = arguments.noise;
  options.outlier_rate = arguments.outliers;
  options.seed = arguments.seed;
  subject.device = synthetic_device(*subject.machine, truth, options);
  subject.environment[synthetic_key] = fmt::format(
      "drawn from the model of one GPU of {}, not measured; noise {}, outliers {} x {}, "
      "seed {}",
      subject.machine->name(), options.noise_ln, options.outlier_rate, options.outlier_factor,
      options.seed);
  std::string parameters;
  for (const auto& [id, value] : truth) {
    parameters += fmt::format("{}{}={}", parameters.empty() ? "" : " ", id, value);
  }
  subject.environment["synthetic_parameters"] = parameters;
  return subject;
}

// Of one GPU as ranks, each on a multiprocessor of its own: those whose collectives are measured on
// the machine that suites describe.
constexpr std::int32_t most_blocks = 64;

Subject real_subject(const SuitesArguments& arguments, const std::vector<const Suite*>& suites,
                     const Communicator& world) {
  if (world.size() > 1) {
    throw UsageError(fmt::format(
        "suites measure one GPU from one process ({} were started): start it without mpirun",
        world.size()));
  }
  Subject subject;
  CudaDeviceChoice choice = first_cuda_device();
  if (!choice.device) {
    fmt::print("{}", describe_plan(suites, example_device(), arguments.budget));
    throw RuntimeError(fmt::format(
        "no suite was run: {} (above: what each would measure on a GPU like that) run this where a "
        "GPU is, or use --synthetic MACHINE to draw samples from its model",
        choice.why_not));
  }
  subject.device = std::move(choice.device);
  const std::int32_t blocks = std::min(most_blocks, subject.device->facts().multiprocessors);
  subject.machine = arguments.machine.empty()
                        ? local_machine(world, choose_executor("cuda", world, blocks))
                        : load_machine(arguments.machine);
  if (subject.machine->gpu().generation == "host") {
    throw UsageError(
        fmt::format("--machine {}: a machine of cores has no GPU to measure", arguments.machine));
  }
  return subject;
}

SuiteReport run_on(Subject& subject, const SuitesArguments& arguments,
                   const std::vector<const Suite*>& suites) {
  SuiteOptions options;
  options.machine = subject.machine->name();
  options.budget_seconds = arguments.budget;
  options.iterations = arguments.iterations;
  log_info(fmt::format("suites on {}", subject.device->description()));
  std::unique_ptr<ProgressBar> drawn;
  const auto progress = [&](int, int total) {
    if (!drawn) drawn = std::make_unique<ProgressBar>("suites", total, ProgressBar::wanted(0));
    drawn->advance();
  };
  SuiteReport report = run_suites(*subject.device, suites, options, progress);
  report.samples.environment.merge(subject.environment);
  return report;
}

void run_all(const SuitesArguments& arguments, const Communicator& world) {
  if (!arguments.show.empty()) {
    fmt::print("{}", suite_summary(read_evidence(arguments.show).samples));
    return;
  }
  const auto suites = suites_from_names(arguments.names);
  if (arguments.plan) {
    fmt::print("{}", plan_text(arguments, suites));
    return;
  }
  for (const std::string& path : {arguments.output, arguments.machine_file}) {
    if (!path.empty()) check_writable(path, arguments.force);
  }
  Subject subject = arguments.synthetic.empty() ? real_subject(arguments, suites, world)
                                                : synthetic_subject(arguments);
  const SuiteReport report = run_on(subject, arguments, suites);
  if (report.samples.conditions.empty()) {
    throw RuntimeError(fmt::format("nothing was measured ({})",
                                   report.notes.empty() ? "no case" : report.notes.front()));
  }
  for (const std::string& note : report.notes) log_warning(note);
  fmt::print("{}", suite_summary(report.samples));
  if (!arguments.machine_file.empty()) {
    const std::string yaml = subject.machine->yaml();
    publish_file(arguments.machine_file, std::as_bytes(std::span(yaml)), arguments.force,
                 [](const std::filesystem::path&) {});
  }
  if (arguments.output.empty()) return;
  const TraceOrigin origin{subject.backend, this_command_line(), config_yaml(arguments, suites),
                           std::to_string(arguments.synthetic.empty() ? 0 : arguments.seed)};
  write_trace(arguments.output, measurement_trace(report.samples, *subject.machine, origin),
              WriteOptions{arguments.force});
}

int run_suites_command(const SuitesArguments& arguments) {
  const auto world = Communicator::world();
  // One process has the device; others wait for its verdict.
  agree_that(world, [&] { run_all(arguments, world); });
  return 0;
}

}  // namespace

void add_suites_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<SuitesArguments>();
  auto* command = app.add_subcommand(
      "suites",
      "micro-benchmarks of one GPU: launch, hand-off, copies, memory, PCIe, GEMM, overlap");
  command->footer(
      "Without a GPU the plan is printed and the exit code is 3. docs/gpu-campaign.md says what "
      "each suite measures and which parameters it identifies.");
  command->add_option("names", arguments->names, "suites to run, in order of value (default: all)");
  auto* plan =
      command->add_flag("--plan", arguments->plan,
                        "say what would be measured, how long, what it identifies; run nothing");
  command->add_option("--budget", arguments->budget, "seconds for all suites (0: no limit)")
      ->check(number_between(0, 1e9));
  command
      ->add_option("-n,--iterations", arguments->iterations,
                   "samples per case (0: the stopping rule decides)")
      ->check(number_between(0, 1e6));
  auto* machine = command->add_option("--machine,-m", arguments->machine,
                                      "machine the GPU is of (name or YAML); default: discovered");
  auto* output = command->add_option("--output,-o", arguments->output,
                                     "trace file to write the samples to (HDF5)");
  auto* file = command->add_option("--machine-file", arguments->machine_file,
                                   "write the machine file that the samples belong to");
  command->add_flag("--force", arguments->force, "replace existing files");
  auto* show = command->add_option(
      "--show", arguments->show, "print the summary of stored samples: traces, or folders of them");
  auto* synthetic = command->add_option("--synthetic", arguments->synthetic,
                                        "draw samples from the model of one GPU of this machine");
  for (auto* option :
       {command->add_option("--set", arguments->settings,
                            "the truth: ID=VALUE or ID=xFACTOR, e.g. cuda.hbm_bw=x0.5"),
        command->add_option("--noise", arguments->noise, "standard deviation of ln(value)")
            ->check(number_between(0, 1)),
        command
            ->add_option("--outliers", arguments->outliers,
                         "share of the samples that are disturbed")
            ->check(number_between(0, 0.5)),
        command->add_option("--seed", arguments->seed, "seed of the noise")}) {
    option->needs(synthetic);
  }
  synthetic->excludes(machine);
  for (auto* other : {plan, machine, output, file, synthetic}) show->excludes(other);
  for (auto* other : {output, file}) plan->excludes(other);
  command->callback(
      [&run, arguments] { run = [arguments] { return run_suites_command(*arguments); }; });
}

}  // namespace fabricast
