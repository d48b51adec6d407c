// Runs suites on a device within a budget: warm-up, samples, stopping rule, clocks, environment.
//
// A budget is shared among the suites by what each is worth (SuiteFacts::seconds); what one leaves
// goes to the later ones. A case is measured with at least the stopping rule's floor or not at all,
// and what is left out is named. Each sample has the device's state right after it: samples under
// throttling by heat, a power brake or the supply are discarded as "throttled", disturbed ones by
// the harness's rule as "disturbed"; both stay in the set. A case that fails at run time (memory,
// a library) is named and left out; wrong data end the run (CheckError). Not thread safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/harness/disturbance.hpp"
#include "bench/harness/stopping_rule.hpp"
#include "bench/suites/suite.hpp"

namespace fabricast {

// A repetition is short: with the harness's floor of ten, two disturbed ones would be a mode of the
// machine and not discarded.
inline MedianErrorParameters suite_stopping() {
  MedianErrorParameters parameters;
  parameters.min_iterations = 50;
  return parameters;
}

struct SuiteOptions {
  std::string machine;                // that the samples belong to
  double budget_seconds = 0;          // of all suites; 0: none
  double max_seconds_per_case = 1.0;  // ceiling of the stopping rule
  int iterations = 0;                 // 0: the stopping rule decides
  int warmup = 3;
  MedianErrorParameters stopping = suite_stopping();
  DisturbanceRule disturbance;
};

struct SuiteCaseReport {
  Conditions conditions;
  int iterations = 0, disturbed = 0, throttled = 0;
  std::string stop_reason;
  std::string skipped;  // why it was not measured; empty if it was
};

struct SuiteReport {
  SampleSet samples;
  std::vector<SuiteCaseReport> cases;
  std::vector<std::string> notes;
};

using SuiteProgress = std::function<void(int done, int total)>;

SuiteReport run_suites(DeviceUnderTest& device, const std::vector<const Suite*>& suites,
                       const SuiteOptions& options, const SuiteProgress& progress = {});

// What each suite would measure on a device, how long, and what it identifies: for people.
std::string describe_plan(const std::vector<const Suite*>& suites, const DeviceFacts& device,
                          double budget_seconds);

// Seconds of the budget for suite `index`, with `left` seconds for it and those after it.
double suite_share(const std::vector<const Suite*>& suites, std::size_t index, double left);

}  // namespace fabricast
