#include "emulator/sim/lane_block.hpp"

#include "emulator/base/contracts.hpp"
#include "emulator/sim/vector_rows.hpp"

namespace fabricast {
namespace {

// A step's places: slot 0 of the connection received from and of that sent on, null for none.
struct Place {
  const std::int64_t* costs;
  const std::int64_t* ready_in;
  std::int64_t* credit_out;
  const std::int64_t* credit_in;
  std::int64_t* ready_out;
};

template <int members>
[[gnu::always_inline]] inline Place place_of(const LaneBlock& block, std::int32_t index) {
  const WiredStep& step = block.steps[index];
  const auto first = [&](std::int32_t connection) {
    return std::int64_t{connection} * block.depth * members;
  };
  Place place{step.costs.data(), nullptr, nullptr, nullptr, nullptr};
  if (block.costs != nullptr) place.costs = block.costs + std::int64_t{index} * 4 * members;
  if (step.in >= 0) {
    place.ready_in = block.ready + first(step.in);
    place.credit_out = block.credit + first(step.in);
  }
  if (step.out >= 0) {
    place.credit_in = block.credit + first(step.out);
    place.ready_out = block.ready + first(step.out);
  }
  return place;
}

// A lane of `steps` steps, W members at a time.
template <int W, int members, int steps>
[[gnu::always_inline]] inline void advance_lane(const LaneBlock& block, std::int32_t lane_index,
                                                const Place* places, std::int32_t count) {
  using V = Vector<std::int64_t, W>;
  for (int m = 0; m < members; m += W) {
    const std::int64_t clock = std::int64_t{lane_index} * members + m;
    V lane = load<W>(block.lane + clock);
    V port = load<W>(block.port + clock);
    std::int64_t slot = std::int64_t{block.slot} * members + m;
    const std::int64_t end = std::int64_t{block.depth} * members + m;
    for (std::int32_t round = 0; round < block.rounds; ++round) {
      for (int s = 0; s < (steps > 0 ? steps : count); ++s) {
        const Place& at = places[s];
        V start = lane;
        if (at.ready_in != nullptr)
          start = larger<std::int64_t, W>(start, load<W>(at.ready_in + slot));
        if (at.credit_in != nullptr)
          start = larger<std::int64_t, W>(start, load<W>(at.credit_in + slot));
        lane = start + load<W>(at.costs + m);
        if (at.credit_out != nullptr) {
          store<W>(at.credit_out + slot, lane + load<W>(at.costs + credit_cost * members + m));
        }
        if (at.ready_out != nullptr) {
          port = larger<std::int64_t, W>(port, start) + load<W>(at.costs + port_cost * members + m);
          store<W>(at.ready_out + slot, larger<std::int64_t, W>(lane, port) +
                                            load<W>(at.costs + latency_cost * members + m));
        }
      }
      slot += members;
      if (slot == end) slot = m;
    }
    store<W>(block.lane + clock, lane);
    store<W>(block.port + clock, port);
  }
}

template <int W, int members>
[[gnu::always_inline]] inline void advance(const LaneBlock& block) {
  Place places[LaneBlock::max_steps];
  for (const std::int32_t lane : block.lanes) {
    const std::int32_t first = block.begin[lane];
    const std::int32_t count = block.begin[lane + 1] - first;
    for (std::int32_t s = 0; s < count; ++s) places[s] = place_of<members>(block, first + s);
    switch (count) {
      case 1:
        advance_lane<W, members, 1>(block, lane, places, 1);
        break;
      case 2:
        advance_lane<W, members, 2>(block, lane, places, 2);
        break;
      default:
        advance_lane<W, members, 0>(block, lane, places, count);
        break;
    }
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
