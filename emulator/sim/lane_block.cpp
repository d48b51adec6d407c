#include "emulator/sim/lane_block.hpp"

#include "emulator/base/contracts.hpp"
#include "emulator/sim/lane_step.hpp"

namespace fabricast {
namespace {

template <int members>
[[gnu::always_inline]] inline LanePlace place_of(const LaneBlock& block, std::int32_t index) {
  const WiredStep& step = block.steps[index];
  const auto slots = [&](std::int32_t connection) {
    return connection < 0 ? nullptr
                          : block.slots + std::int64_t{connection} * block.depth * members;
  };
  LanePlace place{step.costs.data(), slots(step.in), slots(step.out)};
  if (block.costs != nullptr) place.costs = block.costs + std::int64_t{index} * 4 * members;
  return place;
}

struct LaneClocks {
  std::int64_t* lane;
  std::int64_t* port;
};

// Which of the slots the rounds go through, from `first` on and round again.
struct Rounds {
  std::int32_t first, depth, count;
};

// A lane of `steps` steps, W members at a time.
template <int W, int members, int steps>
[[gnu::always_inline]] inline void advance_lane(const LaneClocks& clocks, const Rounds& rounds,
                                                const LanePlace* places, std::int32_t count) {
  using V = Vector<std::int64_t, W>;
  for (int m = 0; m < members; m += W) {
    V lane = load<W>(clocks.lane + m);
    V port = load<W>(clocks.port + m);
    std::int64_t slot = std::int64_t{rounds.first} * members + m;
    const std::int64_t end = std::int64_t{rounds.depth} * members + m;
    for (std::int32_t round = 0; round < rounds.count; ++round) {
      for (int s = 0; s < (steps > 0 ? steps : count); ++s) {
        const LanePlace& at = places[s];
        advance_step<W, members>(lane, port, at.costs + m,
                                 at.in != nullptr ? at.in + slot : nullptr,
                                 at.out != nullptr ? at.out + slot : nullptr);
      }
      slot += members;
      if (slot == end) slot = m;
    }
    store<W>(clocks.lane + m, lane);
    store<W>(clocks.port + m, port);
  }
}

template <int W, int members>
[[gnu::always_inline]] inline void advance_lane(const LaneClocks& clocks, const Rounds& rounds,
                                                const LanePlace* places, std::int32_t count) {
  switch (count) {
    case 1:
      return advance_lane<W, members, 1>(clocks, rounds, places, 1);
    case 2:
      return advance_lane<W, members, 2>(clocks, rounds, places, 2);
    default:
      return advance_lane<W, members, 0>(clocks, rounds, places, count);
  }
}

template <int W, int members>
[[gnu::always_inline]] inline void advance(const LaneBlock& block) {
  LanePlace places[LaneBlock::max_steps];
  const Rounds rounds{block.slot, block.depth, block.rounds};
  for (const std::int32_t lane : block.lanes) {
    const std::int32_t first = block.begin[lane];
    const std::int32_t count = block.begin[lane + 1] - first;
    for (std::int32_t s = 0; s < count; ++s) places[s] = place_of<members>(block, first + s);
    const std::int64_t clock = std::int64_t{lane} * members;
    advance_lane<W, members>({block.lane + clock, block.port + clock}, rounds, places, count);
  }
}

void advance_one(const LaneBlock& block) { advance<1, 1>(block); }
void advance_baseline(const LaneBlock& block) { advance<2, 8>(block); }

#if defined(__x86_64__)
[[gnu::target("avx2,bmi2")]] void advance_v3(const LaneBlock& block) { advance<4, 8>(block); }

[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void advance_v4(
    const LaneBlock& block) {
  advance<8, 8>(block);
}
#endif

}  // namespace

void advance_turn(const LaneTurn& turn) {
  advance_lane<1, 1>({turn.clock, turn.port}, {0, turn.rounds, turn.rounds}, turn.places.data(),
                     static_cast<std::int32_t>(turn.places.size()));
}

LaneBlockKernel lane_block_kernel(InstructionSet set, std::size_t members) {
  if (members == 1) return advance_one;
  FABRICAST_EXPECT(members == 8, "one cost set or eight");
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) return advance_v3;
  if (set == InstructionSet::x86_64_v4) return advance_v4;
#endif
  static_cast<void>(set);
  return advance_baseline;
}

}  // namespace fabricast
