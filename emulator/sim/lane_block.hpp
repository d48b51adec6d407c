// Lanes doing a block of repetitions that nothing can hold up (lane_order.hpp): the inner loop of
// the general engine on trees and chains.
//
// The max-plus update is that of row_kernels.hpp (semantics 3.1 to 3.5), with a lane's clocks in
// registers. Clocks of `members` cost sets lie side by side, [index * members + member]. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

struct LaneBlock {
  std::span<const std::int32_t> lanes;  // senders before receivers
  const std::int32_t* begin = nullptr;  // WiredSegment::begin
  const WiredStep* steps = nullptr;     // of the segment, none of them wide
  const std::int64_t* costs = nullptr;  // [step][4][members]; null: those in the steps
  std::int64_t* lane = nullptr;
  std::int64_t* port = nullptr;
  std::int64_t* slots = nullptr;  // [connection * depth + slot][members]
  std::int32_t depth = 8;
  std::int32_t slot = 0;    // of the first message, on every connection
  std::int32_t rounds = 0;  // repetitions * slices

  static constexpr std::int32_t max_steps = 8;  // of a lane in one round
};

using LaneBlockKernel = void (*)(const LaneBlock&);

// For 1 or 8 members.
LaneBlockKernel lane_block_kernel(InstructionSet set, std::size_t members);

// A step's costs, and slot 0 of the connections received from and sent on; null for none.
struct LanePlace {
  const std::int64_t* costs = nullptr;
  std::int64_t* in = nullptr;
  std::int64_t* out = nullptr;
};

// Rounds of one lane that begin with slot 0 and are at most as many as there are slots.
struct LaneTurn {
  std::int32_t lane = 0;
  const WiredStep* steps = nullptr;
  std::span<const LanePlace> places;  // of the steps
  std::int64_t first_round = 0;       // since the beginning
  std::int32_t rounds = 0;
  std::int64_t* clock = nullptr;  // WiredState::lane and port, of this lane
  std::int64_t* port = nullptr;
};

// For one member, with the costs of the places.
void advance_turn(const LaneTurn& turn);

}  // namespace fabricast
