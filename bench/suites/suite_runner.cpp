#include "bench/suites/suite_runner.hpp"

#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/harness/environment.hpp"
#include "bench/harness/time_budget.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/version.hpp"

namespace fabricast {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Runner {
 public:
  Runner(DeviceUnderTest& device, const SuiteOptions& options, const SuiteProgress& progress)
      : device_(device),
        options_(options),
        progress_(progress),
        rule_(options.iterations > 0 ? fixed_count_rule(options.iterations)
                                     : median_error_rule(options.stopping)) {}

  SuiteReport run(const std::vector<const Suite*>& suites) {
    const Surroundings before = observe_surroundings();
    std::vector<std::vector<SuiteCase>> cases;
    for (const Suite* suite : suites) {
      cases.push_back(suite->cases(device_.facts()));
      total_ += static_cast<int>(cases.back().size());
    }
    const auto start = Clock::now();
    for (std::size_t i = 0; i < suites.size(); ++i) {
      const double left = options_.budget_seconds - seconds_since(start);
      run_suite(*suites[i], cases[i],
                options_.budget_seconds > 0 ? std::max(suite_share(suites, i, left), 1e-9) : 0);
    }
    describe(before, suites);
    return std::move(report_);
  }

 private:
  void run_suite(const Suite& suite, const std::vector<SuiteCase>& cases, double seconds) {
    if (cases.empty()) {
      report_.notes.push_back(
          fmt::format("suite {} measures nothing here: {}", suite.facts().name,
                      device_.facts().no_gemm));
      return;
    }
    const TimeBudget budget(seconds);
    const auto start = Clock::now();
    int left = static_cast<int>(cases.size());
    for (const SuiteCase& c : cases) {
      SuiteCaseReport entry;
      entry.conditions = c.conditions;
      entry.conditions.machine = options_.machine;
      try {
        measure(c, budget, start, left, entry);
      } catch (const RuntimeError& error) {
        entry.skipped = error.what();
      }
      if (!entry.skipped.empty()) {
        report_.notes.push_back(
            fmt::format("{}: not measured ({})", label_of(entry.conditions), entry.skipped));
      }
      report_.cases.push_back(std::move(entry));
      --left;
      ++done_;
      if (progress_) progress_(done_, total_);
    }
  }

  void measure(const SuiteCase& c, const TimeBudget& budget, Clock::time_point start, int left,
               SuiteCaseReport& entry) {
    // The first call allocates and checks; the next ones say what a repetition takes.
    const bool first = report_.samples.conditions.empty();  // runs in any case
    if (!first && !budget.admits(seconds_since(start), 0, 0)) {
      entry.skipped = "the budget was used up";
      return;
    }
    c.once(device_);
    const auto warm = Clock::now();
    for (int i = 0; i < options_.warmup; ++i) {
      c.once(device_);
      device_.state();  // its clocks are read after every sample, too
    }
    const double once = options_.warmup > 0 ? seconds_since(warm) / options_.warmup : 0;
    const double floor = once * rule_->floor();
    if (!first && !budget.admits(seconds_since(start), 0, floor)) {
      entry.skipped = fmt::format("{:.3g} s more did not fit into the budget", floor);
      return;
    }
    const double ceiling =
        budget.ceiling(seconds_since(start), 0, left, options_.max_seconds_per_case);
    std::vector<double> values;
    std::vector<DeviceState> states;
    rule_->start();
    const auto begun = Clock::now();
    std::optional<StopReason> verdict;
    while (!verdict) {
      values.push_back(c.once(device_));
      states.push_back(device_.state());
      rule_->add(values.back());
      verdict = rule_->verdict(seconds_since(begun), ceiling);
    }
    entry.stop_reason = to_string(*verdict);
    keep(entry, values, states);
  }

  // Throttled samples first: what is left of a hot GPU must not be judged by them.
  void keep(SuiteCaseReport& entry, const std::vector<double>& values,
            std::vector<DeviceState>& states) {
    std::vector<double> quiet;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (states[i].discard == DiscardReason::none) quiet.push_back(values[i]);
    }
    const auto flags = disturbed(quiet, options_.disturbance);
    const auto condition = static_cast<std::int32_t>(report_.samples.conditions.size());
    report_.samples.conditions.push_back(entry.conditions);
    std::size_t next = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (states[i].discard == DiscardReason::throttled) {
        ++entry.throttled;
      } else if (flags[next++]) {
        states[i].discard = DiscardReason::disturbed;
        ++entry.disturbed;
      }
      report_.samples.samples.push_back({condition, static_cast<std::int32_t>(i), values[i],
                                         states[i].discard != DiscardReason::none});
      report_.samples.device_states.push_back(states[i]);
    }
    entry.iterations = static_cast<int>(values.size());
    if (entry.throttled == entry.iterations) {
      report_.notes.push_back(fmt::format("{}: throttled throughout ({}), nothing is fitted",
                                          label_of(entry.conditions), states.back().throttle));
    }
  }

  void describe(const Surroundings& before, const std::vector<const Suite*>& suites) {
    auto& environment = report_.samples.environment;
    for (const auto& [key, value] : before.host) environment[key] = value;
    const Surroundings after = observe_surroundings();
    for (const auto& [key, value] : after.host) {
      if (environment[key] != value) environment[key + "_after"] = value;
    }
    environment["software"] = std::string("fabricast ") + version();
    environment["device"] = device_.facts().name;
    environment["device_description"] = device_.description();
    environment["device_multiprocessors"] = std::to_string(device_.facts().multiprocessors);
    environment["device_l2_bytes"] = std::to_string(device_.facts().l2_bytes);
    environment["device_pcie_nominal"] = fmt::format(
        "{} GB/s ({})", device_.facts().pcie_gb_per_s, device_.facts().pcie_source);
    std::vector<std::string> names;
    for (const Suite* suite : suites) names.push_back(suite->facts().name);
    environment["suites"] = fmt::format("{}", fmt::join(names, " "));
    environment["stopping_rule"] = rule_->description();
    environment["disturbance_rule"] = options_.disturbance.description();
    environment["throttle_rule"] =
        "samples under hw_slowdown, sw_thermal, hw_thermal or hw_power_brake are discarded";
    environment["budget_s"] = fmt::format("{}", options_.budget_seconds);
    for (std::size_t i = 0; i < report_.notes.size(); ++i) {
      environment[fmt::format("note_{:03}", i)] = report_.notes[i];
    }
  }

  DeviceUnderTest& device_;
  const SuiteOptions& options_;
  const SuiteProgress& progress_;
  std::unique_ptr<StoppingRule> rule_;
  SuiteReport report_;
  int done_ = 0, total_ = 0;
};

}  // namespace

double suite_share(const std::vector<const Suite*>& suites, std::size_t index, double left) {
  double worth = 0;
  for (std::size_t i = index; i < suites.size(); ++i) worth += suites[i]->facts().seconds;
  return left * suites[index]->facts().seconds / worth;
}

SuiteReport run_suites(DeviceUnderTest& device, const std::vector<const Suite*>& suites,
                       const SuiteOptions& options, const SuiteProgress& progress) {
  return Runner(device, options, progress).run(suites);
}

std::string describe_plan(const std::vector<const Suite*>& suites, const DeviceFacts& device,
                          double budget_seconds) {
  std::string text = fmt::format("# on {} ({} multiprocessors, L2 {} MiB)\n", device.name,
                                 device.multiprocessors, device.l2_bytes >> 20);
  double left = budget_seconds;
  for (std::size_t i = 0; i < suites.size(); ++i) {
    const SuiteFacts& facts = suites[i]->facts();
    const double seconds = budget_seconds > 0 ? suite_share(suites, i, left) : facts.seconds;
    left -= seconds;
    text += fmt::format("{:12} {:3} cases, {:.3g} s, {} device, {} MiB: {}\n", facts.name,
                        suites[i]->cases(device).size(), seconds, facts.devices,
                        (suites[i]->memory_bytes(device) + (1 << 20) - 1) >> 20, facts.measures);
    text += fmt::format("{:12} identifies {}\n", "",
                        facts.identifies.empty() ? std::string("nothing")
                                                 : fmt::format("{}", fmt::join(facts.identifies, ", ")));
    if (!facts.informs_nothing.empty()) {
      text += fmt::format("{:12} recorded, informs no parameter: {}\n", "", facts.informs_nothing);
    }
  }
  return text;
}

}  // namespace fabricast
