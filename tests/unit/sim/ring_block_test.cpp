// RingBlock against the recurrence written out, for every instruction set.
#include "emulator/sim/ring_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {
namespace {

struct Ring {
  std::int32_t columns, in_flight, depth;
  std::int64_t steps;
  std::int64_t most_port;  // small: lanes dominate; large: ports do
  std::int64_t begin = 0;  // added to every clock: large values leave the exact doubles
};

// State rows as RingBlock defines them.
struct State {
  std::vector<std::int64_t> lane, port;
  std::vector<std::vector<std::int64_t>> ready, credit;
};

State random_state(const Ring& ring, std::uint64_t seed, std::int32_t period) {
  State state;
  std::uint64_t row = 0;
  const auto draw = [&] {
    std::vector<std::int64_t> values;
    for (std::int32_t x = 0; x < ring.columns; ++x) {
      const auto of = static_cast<std::uint64_t>(period > 0 ? x % period : x);
      values.push_back(ring.begin + random_int(seed, row, of, 0, 5000));
    }
    ++row;
    return values;
  };
  state.lane = draw();
  state.port = draw();
  for (std::int32_t i = 0; i < ring.in_flight; ++i) state.ready.push_back(draw());
  for (std::int32_t i = 0; i < ring.depth - ring.in_flight; ++i) state.credit.push_back(draw());
  return state;
}

void advance_slowly(const Ring& ring, const CostBlock& costs, State& state) {
  const auto n = static_cast<std::size_t>(ring.columns);
  for (std::int64_t step = 0; step < ring.steps; ++step) {
    std::vector<std::int64_t> ready(n), credit(n);
    for (std::size_t x = 0; x < n; ++x) {
      const std::int64_t start = std::max(
          {state.lane[x], state.ready.front()[(x + n - 1) % n], state.credit.front()[(x + 1) % n]});
      state.lane[x] = start + costs.lane[x];
      state.port[x] = std::max(state.port[x], start) + costs.port[x];
      ready[x] = std::max(state.lane[x], state.port[x]) + costs.latency[x];
      credit[x] = state.lane[x] + costs.credit[x];
    }
    state.ready.erase(state.ready.begin());
    state.ready.push_back(ready);
    state.credit.erase(state.credit.begin());
    state.credit.push_back(credit);
  }
}

// Costs and clocks repeat after `period` columns, if it is not 0, but for latencies of some
// columns.
struct CostShape {
  std::int32_t period = 0;
  std::vector<std::int32_t> slow{};
};

// `skipped`, if given: jump, and how many steps were passed over.
void check(const Ring& ring, InstructionSet set, std::uint64_t seed,
           std::int64_t* skipped = nullptr, const CostShape& shape = {}) {
  SCOPED_TRACE(testing::Message() << to_string(set) << " columns " << ring.columns << " in flight "
                                  << ring.in_flight << " depth " << ring.depth << " steps "
                                  << ring.steps << " seed " << seed);
  const auto n = static_cast<std::size_t>(ring.columns);
  CostBlock costs(n);
  for (std::size_t x = 0; x < n; ++x) {
    const std::size_t of = shape.period > 0 ? x % static_cast<std::size_t>(shape.period) : x;
    costs.lane[x] = random_int(seed, 100, of, 0, 1000);
    costs.port[x] = random_int(seed, 101, of, 0, ring.most_port);
    costs.latency[x] = random_int(seed, 102, of, 0, 1000) - costs.lane[x] / 2;
    costs.credit[x] = random_int(seed, 103, of, 0, 1000);
  }
  for (const std::int32_t slow : shape.slow) costs.latency[static_cast<std::size_t>(slow)] += 777;
  State state = random_state(ring, seed, shape.period);
  RingBlock block(ring.columns, ring.in_flight, ring.depth, costs, set);
  std::copy(state.lane.begin(), state.lane.end(), block.lane());
  std::copy(state.port.begin(), state.port.end(), block.port());
  for (std::int32_t i = 0; i < ring.in_flight; ++i) {
    std::copy_n(state.ready[static_cast<std::size_t>(i)].begin(), n, block.ready(i));
  }
  for (std::int32_t i = 0; i < ring.depth - ring.in_flight; ++i) {
    std::copy_n(state.credit[static_cast<std::size_t>(i)].begin(), n, block.credit(i));
  }
  const std::int64_t passed_over = block.advance(ring.steps, skipped != nullptr);
  if (skipped != nullptr) *skipped = passed_over / ring.columns;
  advance_slowly(ring, costs, state);
  for (std::size_t x = 0; x < n; ++x) {
    ASSERT_EQ(block.lane()[x], state.lane[x]) << x;
    // A clock matters only beyond the lane that waits for it.
    ASSERT_EQ(std::max(block.port()[x], block.lane()[x]), std::max(state.port[x], state.lane[x]));
    for (std::int32_t i = 0; i < ring.in_flight; ++i) {
      const std::int64_t receiver = state.lane[(x + 1) % n];
      ASSERT_EQ(std::max(block.ready(i)[x], receiver),
                std::max(state.ready[static_cast<std::size_t>(i)][x], receiver));
    }
    for (std::int32_t i = 0; i < ring.depth - ring.in_flight; ++i) {
      const std::int64_t sender = state.lane[(x + n - 1) % n];
      ASSERT_EQ(std::max(block.credit(i)[x], sender),
                std::max(state.credit[static_cast<std::size_t>(i)][x], sender));
    }
  }
}

TEST(RingBlock, EqualsTheRecurrence) {
  std::uint64_t seed = 0;
  for (const InstructionSet set : available_instruction_sets()) {
    for (const std::int32_t depth : {2, 3, 4, 5, 8, 9, 16}) {
      for (std::int32_t in_flight = 1; in_flight < std::min(depth, 7); ++in_flight) {
        for (const std::int32_t columns : {2, 9, 100, 1023}) {
          for (const std::int64_t most_port : {300, 3000}) {
            const std::int64_t steps =
                columns < 50 ? 300 : 1 + static_cast<std::int64_t>(seed % 131);
            ASSERT_NO_FATAL_FAILURE(
                check({columns, in_flight, depth, steps, most_port}, set, ++seed));
          }
        }
      }
    }
  }
}

TEST(RingBlock, SeveralTilesAndBlocks) {
  for (const InstructionSet set : available_instruction_sets()) {
    ASSERT_NO_FATAL_FAILURE(check({2600, 1, 8, 500, 2000}, set, 7));
    ASSERT_NO_FATAL_FAILURE(check({2050, 2, 8, 300, 900}, set, 8));
    ASSERT_NO_FATAL_FAILURE(check({1025, 4, 8, 230, 100}, set, 9));
  }
}

// Regular but for a few places and the rest of the last period: most stretches are known.
TEST(RingBlock, StretchesThatAreAlikeAreAdvancedOnce) {
  for (const InstructionSet set : available_instruction_sets()) {
    std::int64_t skipped = 0;
    for (const std::int32_t in_flight : {1, 2, 4}) {
      for (const std::int64_t most_port : {30, 3000, 30'000}) {
        for (const std::int32_t depth : {in_flight + 1, 8}) {
          ASSERT_NO_FATAL_FAILURE(check({2357, in_flight, depth, 3001, most_port}, set, 41,
                                        &skipped, {72, {1000, 1001}}));
          EXPECT_GT(skipped, 300) << in_flight << ' ' << most_port;
        }
      }
    }
    ASSERT_NO_FATAL_FAILURE(check({4000, 1, 8, 900, 2000}, set, 42, &skipped, {1, {0, 3999}}));
    EXPECT_GT(skipped, 300);
    // Unlike everywhere: nothing is known, and blocks take over.
    ASSERT_NO_FATAL_FAILURE(check({1200, 1, 8, 900, 2000}, set, 43, &skipped, {}));
  }
}

// Ports that are busy longest set the pace, and soon all repeats; where lanes and latencies do, it
// may take turns of the ring, or longer. The clocks are the recurrence's either way.
TEST(RingBlock, PassesOverPeriods) {
  for (const InstructionSet set : available_instruction_sets()) {
    for (const std::int32_t columns : {64, 100, 288}) {
      std::int64_t skipped = 0;
      ASSERT_NO_FATAL_FAILURE(check({columns, 1, 8, 20'001, 30'000}, set, 31, &skipped));
      EXPECT_GT(skipped, 3000) << columns;
      ASSERT_NO_FATAL_FAILURE(check({columns, 2, 8, 9001, 30}, set, 32, &skipped));
      ASSERT_NO_FATAL_FAILURE(check({columns, 1, 3, 4001, 1000}, set, 33, &skipped));
    }
  }
}

// 2^51 ps is where doubles end: just below, across and far beyond it the integers stay right.
TEST(RingBlock, ClocksBeyondExactDoubles) {
  const std::int64_t edge = std::int64_t{1} << 51;
  for (const InstructionSet set : available_instruction_sets()) {
    for (const std::int64_t begin :
         {edge - 10'000'000, edge - 100'000, edge - 1, 4 * edge + 1, 500 * edge + 3}) {
      ASSERT_NO_FATAL_FAILURE(check({130, 1, 8, 200, 2000, begin}, set, 21));
    }
  }
}

}  // namespace
}  // namespace fabricast
