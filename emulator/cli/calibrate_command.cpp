// fabricast calibrate: samples + machine -> posterior of every parameter, with its held-out error.
#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "emulator/base/log.hpp"
#include "emulator/calibrate/observations.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/profile/inventory.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct CalibrateArguments {
  std::string samples, machine, executor, output;
  double holdout = 0.25;
  bool force = false, inventory = false;
};

// The (machine, executor) that the samples are of; asked for by name when there are several.
const Conditions& subject_of(const SampleSet& samples, const CalibrateArguments& arguments) {
  const Conditions* subject = nullptr;
  for (const auto& c : samples.conditions) {
    if (!arguments.machine.empty() && c.machine != arguments.machine) continue;
    if (!arguments.executor.empty() && to_string(c.executor) != arguments.executor) continue;
    if (subject != nullptr && (subject->machine != c.machine || subject->executor != c.executor)) {
      throw UsageError(fmt::format(
          "{} holds samples of {}/{} and of {}/{}; choose with --machine and --executor",
          arguments.samples, subject->machine, to_string(subject->executor), c.machine,
          to_string(c.executor)));
    }
    subject = &c;
  }
  if (subject == nullptr) {
    throw UsageError(fmt::format("{} holds no samples{}{}", arguments.samples,
                                 arguments.machine.empty() ? "" : " of machine " + arguments.machine,
                                 arguments.executor.empty() ? "" : " by executor " + arguments.executor));
  }
  return *subject;
}

// The machine as the trace has it; otherwise a machine that ships with fabricast.
std::shared_ptr<const Topology> machine_of(const TraceContent& content, const std::string& name) {
  const auto document = content.documents.find("/machine/" + name);
  if (document != content.documents.end()) return parse_machine(document->second, name);
  return load_machine(name);
}

// What was fitted to made-up samples must say so wherever the profile travels.
void say_if_synthetic(const SampleSet& samples, CalibrationProfile& profile) {
  if (!samples.environment.contains("synthetic")) return;
  for (auto& parameter : profile.parameters) {
    if (parameter.samples > 0) parameter.source = "SYNTHETIC, not a measurement: " + parameter.source;
  }
  profile.discrepancy_source = "SYNTHETIC, not a measurement: " + profile.discrepancy_source;
}

// Algorithms of files are measured, but only our own are fitted.
void say_what_is_not_fitted(const SampleSet& samples) {
  std::set<std::string> names;
  bool others = false;
  for (const auto& c : samples.conditions) {
    if (is_of_file(c)) {
      names.insert(c.algorithm);
    } else {
      others = true;
    }
  }
  if (names.empty()) return;
  const auto text = fmt::format("{}", fmt::join(names, ", "));
  if (!others) {
    throw UsageError(
        fmt::format("all samples are of algorithms that are not in the catalogue ({}): measure "
                    "some of our own, "
                    "such as ring, to fit a profile",
                    text));
  }
  log_info(fmt::format("samples of {} are not fitted (of a file, not of the catalogue)", text));
}

int run_calibrate(const CalibrateArguments& arguments) {
  const auto world = Communicator::world();
  agree_that(world, [&] {
    if (arguments.inventory) {
      fmt::print("{}", inventory_markdown());
      return;
    }
    if (arguments.samples.empty()) throw UsageError("calibrate needs a trace with samples (or --inventory)");
    if (!arguments.executor.empty()) executor_from_name(arguments.executor);
    if (!arguments.output.empty()) check_writable(arguments.output, arguments.force);
    const auto content = read_trace(arguments.samples);
    const auto samples = read_sample_tables(content);
    const auto& subject = subject_of(samples, arguments);
    const auto topology = machine_of(content, subject.machine);
    say_what_is_not_fitted(samples);
    CalibrateOptions options;
    options.holdout_fraction = arguments.holdout;
    auto profile = calibrate(*topology, prior_profile(*topology, subject.executor), samples, options);
    say_if_synthetic(samples, profile);
    fmt::print("{}{}", render_profile(profile), render_holdout(profile));
    if (arguments.output.empty()) return;
    TraceAssembly assembly;
    assembly.add_machine(*topology);
    assembly.add_profile(profile);
    const auto backend = content.attributes.find("backend");
    const auto written = assembly.finish(
        fmt::format("calibrate: {}\nholdout_fraction: {}\n", subject.machine, arguments.holdout),
        &samples,
        run_attributes(backend == content.attributes.end() ? "unknown" : backend->second,
                       this_command_line()));
    write_trace(arguments.output, written, WriteOptions{arguments.force});
    fmt::print("# trace {} content_digest {}\n", arguments.output, content_digest(written));
  });
  return 0;
}

}  // namespace

void add_calibrate_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<CalibrateArguments>();
  auto* command = app.add_subcommand("calibrate", "fit parameters to samples; print posterior and held-out error");
  command->add_option("samples", arguments->samples, "trace with samples (from measure or run)");
  command->add_option("--machine,-m", arguments->machine, "whose samples, when the trace has several machines");
  command->add_option("--executor", arguments->executor, "whose samples, when the trace has several executors");
  command->add_option("--holdout", arguments->holdout, "fraction of sizes predicted, not fitted")
      ->check(number_between(0, 0.9));
  command->add_option("--output,-o", arguments->output, "trace file to write the profile to");
  command->add_flag("--force", arguments->force, "replace an existing trace file")
      ->needs(command->get_option("-o"));
  auto* inventory = command->add_flag("--inventory", arguments->inventory,
                                      "print the parameter inventory (docs/calibration.md)");
  for (const char* other : {"samples", "-m", "--executor", "--holdout", "-o"}) {
    inventory->excludes(command->get_option(other));
  }
  command->callback([&run, arguments] { run = [arguments] { return run_calibrate(*arguments); }; });
}

}  // namespace fabricast
