// One period instead of the whole machine: for exchanges whose peers vary with the repetition.
//
// If all maps are linear and all costs repeat after P positions, then so do all clocks, and a
// schedule over P positions has the same times: x talks to (x + a*k + b) mod P, which stands for a
// position P, 2P ... further. Where maps shift two digits at once and P is a multiple of the first
// radix, digit 1 is taken modulo the rest. Exact as long as no message waits for a slot, because
// connections that were apart fall together: that holds when a connection carries at most
// fifo_depth messages (slices <= depth, each peer met once), and the reduced schedule gets slots to
// match. Also where all members of every group do the same at the same cost, and other peers are
// equals of theirs (NVLSTree): two of each then stand for all, whatever the loops, because every
// connection of those two is one of the machine's.
// Pure function; O(phases), O(positions) for groups.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct PeriodicCase {
  Schedule schedule;  // over `period` positions; costs are the whole machine's, first rows
  std::int32_t period = 0;  // of the clocks: x and x + period are alike
};

// Nothing when the schedule or its costs do not allow it.
std::optional<PeriodicCase> one_period(const Schedule& schedule, const StepCosts& costs,
                                       std::int32_t loops, std::int32_t slices);

}  // namespace fabricast
