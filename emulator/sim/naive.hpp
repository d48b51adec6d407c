// The specification of timing: expand every lane, pair messages by FIFO order, take the longest
// path. Obvious and slow; the oracle of the tests and of `emulate --engine naive` at small size.
//
// Time and memory O(messages), about 100 bytes each. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/base/units.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/sweep.hpp"

namespace fabricast {

// Makespan in ps of one channel; throws UsageError naming lane and step when the schedule
// deadlocks.
SimDuration naive_makespan(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                           std::int32_t slices);

// The same evaluation with what it knows besides: for tests of engines.
struct NaiveTimeline {
  SimDuration makespan;
  std::vector<StageSpan> stages;       // as SweepResult::stages
  std::vector<std::int64_t> lane_end;  // [position * roles + role]: last end, 0 without steps
  std::int64_t messages = 0;           // steps evaluated
  std::int64_t unreceived = 0;         // messages still in flight at the end
  std::int64_t longest_lane_sum = 0;   // max over lanes of the sum of lane costs
  std::int64_t longest_port_sum = 0;   // max over lanes of the sum of port costs
  std::vector<LoggedStep> steps;       // of all positions, by position, role and step
};
NaiveTimeline naive_timeline(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                             std::int32_t slices);

}  // namespace fabricast
