// Orders of lanes: senders before receivers, none where there is a cycle, and blocks that end where
// step-by-step control ends.
#include "emulator/sim/lane_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/wired_sweep.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

RandomCosts unlike_costs(const Schedule& schedule) {
  return RandomCosts(schedule, 7, CostTemper::random);
}

TEST(LaneOrder, SendersComeBeforeReceivers) {
  const Schedule schedule = tree_all_reduce({3, 5}, 64, false);
  const auto costs = unlike_costs(schedule);
  const WiredProgram program = wire(schedule, costs);
  ASSERT_EQ(program.segments.size(), 1U);
  const WiredSegment& segment = program.segments.front();
  ASSERT_TRUE(segment.order.has_value());
  const auto& lanes = segment.order->lanes;
  const auto place = [&](std::int32_t lane) {
    return std::find(lanes.begin(), lanes.end(), lane) - lanes.begin();
  };
  EXPECT_EQ(segment.order->connections.size(), program.connections.size());
  for (const WiredConnection& connection : program.connections) {
    EXPECT_LT(place(connection.sending_lane), place(connection.receiving_lane));
  }
  std::int32_t with_steps = 0;
  for (std::int32_t lane = 0; lane < program.lanes; ++lane) {
    const auto at = static_cast<std::size_t>(lane);
    with_steps += segment.begin[at] < segment.begin[at + 1];
  }
  EXPECT_EQ(lanes.size(), static_cast<std::size_t>(with_steps));
}

TEST(LaneOrder, ConnectionsAreNumberedAsTheirSendersCome) {
  const Schedule schedule = tree_all_reduce({4, 4}, 8, true);
  const auto costs = unlike_costs(schedule);
  const WiredProgram program = wire(schedule, costs);
  const auto& lanes = program.segments.front().order->lanes;
  std::ptrdiff_t last = -1;
  for (const WiredConnection& connection : program.connections) {
    const auto place =
        std::find(lanes.begin(), lanes.end(), connection.sending_lane) - lanes.begin();
    EXPECT_GE(place, last);
    last = place;
  }
}

TEST(LaneOrder, ARingHasNone) {
  const Schedule schedule = ring_by_hand({1, 6}, 8);
  const auto costs = unlike_costs(schedule);
  const WiredProgram program = wire(schedule, costs);
  for (const WiredSegment& segment : program.segments) EXPECT_FALSE(segment.order.has_value());
}

// Slices that do not divide the slots, a last block that is shorter, several loops.
TEST(LaneOrder, BlocksEndWhereTheLongestPathEnds) {
  for (const std::int32_t depth : {2, 3, 8}) {
    for (const std::int32_t slices : {1, 2, 3}) {
      if (slices > depth) continue;
      for (const std::int32_t chunks : {1, 5, 37}) {
        Schedule schedule = tree_all_reduce({3, 4}, chunks, chunks == 5);
        schedule.fifo_depth = depth;
        const auto costs = unlike_costs(schedule);
        const auto naive = naive_timeline(schedule, costs, 3, slices);
        // Many chunks where time may jump: blocks; otherwise turns (lane_stream.hpp).
        for (const bool jump : {false, true}) {
          const auto result = wired_sweep(wire(schedule, costs), 3, slices, jump);
          EXPECT_EQ(result.makespan_ps, naive.makespan.value())
              << depth << " slots, " << slices << " slices, " << chunks << " chunks";
          EXPECT_EQ(result.stages.front().start_ps, naive.stages.front().start_ps);
          EXPECT_EQ(result.stages.front().end_ps, naive.stages.front().end_ps);
          EXPECT_EQ(result.updates + result.skipped, naive.messages);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fabricast
