// The specification of timing: expand every lane, pair messages by FIFO order, take the longest
// path. Obvious and slow; the oracle of the tests and of `emulate --engine naive` at small size.
#pragma once

#include <cstdint>

#include "emulator/base/units.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/cost/step_costs.hpp"

namespace fabricast {

// Makespan in ps of one channel; throws UsageError naming lane and step when the schedule deadlocks.
SimDuration naive_makespan(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                           std::int32_t slices);

}  // namespace fabricast
