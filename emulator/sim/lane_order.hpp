// In which order the lanes of a segment can each do many repetitions at once.
//
// Where what lanes send to each other makes no cycle (trees, chains, a switch), a lane whose
// senders have done n repetitions can do n as well, as long as slots suffice: with empty queues
// before and n * slices <= depth no step has to ask whether it can start. Whether it can never
// depends on a clock (semantics 2.5), so that the order holds for any costs. O(steps); pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/sim/wired_program.hpp"

namespace fabricast {

// None where the segment is unrolled, waits for another lane's stage, uses one end of a connection
// twice in a repetition, or where lanes send to each other in a cycle.
std::optional<LaneOrder> lane_order(const WiredProgram& program, const WiredSegment& segment);

// Finds the orders of all segments, and gives the connections new numbers: in the order of their
// senders in the longest segment that has one, so that what is used together lies together.
void put_in_order(WiredProgram& program);

}  // namespace fabricast
