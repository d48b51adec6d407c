// fabricast calibrate: samples + machine -> posterior of every parameter, with its held-out error.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "emulator/base/log.hpp"
#include "emulator/calibrate/observations.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/evidence_files.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/profile/inventory.hpp"

namespace fabricast {
namespace {

struct CalibrateArguments {
  std::vector<std::string> samples, against;
  std::string machine, executor, output;
  double holdout = 0.25;
  bool force = false, inventory = false;
};

std::string joined(const std::vector<std::string>& paths) {
  return fmt::format("{}", fmt::join(paths, ", "));
}

// The (machine, executor) that the samples are of; asked for by name when there are several.
const Conditions& subject_of(const SampleSet& samples, const CalibrateArguments& arguments) {
  const Conditions* subject = nullptr;
  for (const auto& c : samples.conditions) {
    if (!arguments.machine.empty() && c.machine != arguments.machine) continue;
    if (!arguments.executor.empty() && to_string(model_of(c)) != arguments.executor) continue;
    if (subject != nullptr &&
        (subject->machine != c.machine || model_of(*subject) != model_of(c))) {
      throw UsageError(fmt::format(
          "{} holds samples of {}/{} and of {}/{}; choose with --machine and --executor",
          joined(arguments.samples), subject->machine, to_string(model_of(*subject)), c.machine,
          to_string(model_of(c))));
    }
    subject = &c;
  }
  if (subject == nullptr) {
    throw UsageError(
        fmt::format("{} holds no samples{}{}", joined(arguments.samples),
                    arguments.machine.empty() ? "" : " of machine " + arguments.machine,
                    arguments.executor.empty() ? "" : " by executor " + arguments.executor));
  }
  return *subject;
}

// What was fitted to made-up samples must say so wherever the profile travels.
void say_if_synthetic(const SampleSet& samples, const SampleSet& against,
                      CalibrationProfile& profile) {
  if (!samples.environment.contains("synthetic") && !against.environment.contains("synthetic")) {
    return;
  }
  for (auto& parameter : profile.parameters) {
    if (parameter.samples > 0)
      parameter.source = "SYNTHETIC, not a measurement: " + parameter.source;
  }
  profile.discrepancy_source = "SYNTHETIC, not a measurement: " + profile.discrepancy_source;
}

// What of the subject's samples is measured and has no model: names by reason.
void say_what_is_not_fitted(const SampleSet& samples, const Conditions& subject) {
  std::map<std::string, std::set<std::string>> names;
  bool others = false;
  for (const auto& c : samples.conditions) {
    if (c.machine != subject.machine || model_of(c) != model_of(subject)) continue;
    const NotFitted out = not_fitted(c);
    if (out.what.empty()) {
      others = true;
    } else {
      names[out.why].insert(out.what);
    }
  }
  for (const auto& [reason, of] : names) {
    const auto text = fmt::format("{}", fmt::join(of, ", "));
    if (!others && names.size() == 1) {
      throw UsageError(fmt::format(
          "all samples are of {} ({}): measure something else, such as ring, to fit a profile",
          text, reason));
    }
    log_info(fmt::format("samples of {} are not fitted ({})", text, reason));
  }
}

int run_calibrate(const CalibrateArguments& arguments) {
  const auto world = Communicator::world();
  agree_that(world, [&] {
    if (arguments.inventory) {
      fmt::print("{}", inventory_markdown());
      return;
    }
    if (arguments.samples.empty())
      throw UsageError("calibrate needs a trace with samples (or --inventory)");
    if (!arguments.executor.empty()) executor_from_name(arguments.executor);
    if (!arguments.output.empty()) check_writable(arguments.output, arguments.force);
    const auto evidence = read_evidence(arguments.samples);
    const auto& samples = evidence.samples;
    const auto& subject = subject_of(samples, arguments);
    const auto topology = machine_of(evidence, subject.machine);
    const auto against = read_evidence(arguments.against);
    say_what_is_not_fitted(samples, subject);
    CalibrateOptions options;
    options.holdout_fraction = arguments.holdout;
    options.library = library_rule();
    if (!arguments.against.empty()) options.against = &against.samples;
    auto profile =
        calibrate(*topology, prior_profile(*topology, model_of(subject)), samples, options);
    say_if_synthetic(samples, against.samples, profile);
    fmt::print("{}{}", render_profile(profile),
               arguments.against.empty() ? render_holdout(profile) : render_errors(profile));
    warn_of_useless_fit(profile);
    if (arguments.output.empty()) return;
    TraceAssembly assembly;
    assembly.add_machine(*topology);
    assembly.add_profile(profile);
    const auto written = assembly.finish(
        fmt::format("calibrate: {}\nholdout_fraction: {}\n", subject.machine, arguments.holdout),
        &samples, run_attributes(evidence.backend, this_command_line()));
    write_trace(arguments.output, written, WriteOptions{arguments.force});
    fmt::print("# trace {} content_digest {}\n", arguments.output, content_digest(written));
  });
  return 0;
}

}  // namespace

void add_calibrate_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<CalibrateArguments>();
  auto* command = app.add_subcommand(
      "calibrate", "fit parameters to samples; print posterior and held-out error");
  command->add_option("samples", arguments->samples,
                      "traces with samples (from measure, suites or run), and folders of them");
  command->add_option(
      "--against", arguments->against,
      "traces or folders whose collectives are predicted and compared, never fitted");
  command->add_option("--machine,-m", arguments->machine,
                      "whose samples, when the trace has several machines");
  command->add_option("--executor", arguments->executor,
                      "whose samples, when the trace has several executors");
  command->add_option("--holdout", arguments->holdout, "fraction of sizes predicted, not fitted")
      ->check(number_between(0, 0.9));
  command->add_option("--output,-o", arguments->output, "trace file to write the profile to");
  command->add_flag("--force", arguments->force, "replace an existing trace file")
      ->needs(command->get_option("-o"));
  auto* inventory = command->add_flag("--inventory", arguments->inventory,
                                      "print the parameter inventory (docs/calibration.md)");
  for (const char* other : {"samples", "--against", "-m", "--executor", "--holdout", "-o"}) {
    inventory->excludes(command->get_option(other));
  }
  command->callback([&run, arguments] { run = [arguments] { return run_calibrate(*arguments); }; });
}

}  // namespace fabricast
