#include "emulator/sim/naive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"
#include "tests/unit/sim/constant_costs.hpp"
#include "tests/unit/sim/random_case.hpp"
#include "tests/unit/sim/random_parts.hpp"

namespace fabricast {
namespace {

// One sender, one receiver, three messages, two slots; by hand from docs/semantics.md 3.
//   send 0: start 0, end 10, port 0..30, ready 30 + 5 = 35;   receive 0: 35..75, credit at 75 + 7
//   send 1: start 10, end 20, port 30..60, ready 65;          receive 1: 75..115
//   send 2: slot of message 0 is free at 82: start 82, end 92, port 82..112, ready 117;
//                                                             receive 2: 117..157
TEST(Naive, ThreeMessagesThroughTwoSlots) {
  Schedule schedule;
  schedule.space = {2};
  schedule.roles = 1;
  schedule.fifo_depth = 2;
  PhaseGroup group{StageOrder::rounds, {}};
  group.phases.push_back(
      plain_phase(action_send, 0, {}, PeerMap::linear(0, 1), Active::range(0, 1)));
  group.phases.push_back(
      plain_phase(recv_store, 0, PeerMap::linear(0, -1), {}, Active::range(1, 2)));
  schedule.stages.push_back({"talk", 3, {std::move(group)}});
  const ConstantCosts costs(schedule, {10, 30, 5, 7}, 40, 0);
  const NaiveTimeline timeline = naive_timeline(schedule, costs, 1, 1);
  EXPECT_EQ(timeline.makespan.value(), 157);
  EXPECT_EQ(timeline.lane_end, (std::vector<std::int64_t>{92, 157}));
  EXPECT_EQ(timeline.messages, 6);
  EXPECT_EQ(timeline.longest_lane_sum, 120);
  EXPECT_EQ(timeline.longest_port_sum, 90);
  EXPECT_EQ(timeline.stages.at(0).start_ps, 0);
  EXPECT_EQ(timeline.stages.at(0).end_ps, 157);
}

TEST(Naive, NamesLaneAndStepOfADeadlock) {
  const Schedule schedule = ring_by_hand({4}, 2);
  const ConstantCosts costs(schedule, {1, 1, 1, 1});
  EXPECT_NO_THROW(naive_makespan(schedule, costs, 1, 1));
  try {
    naive_makespan(schedule, costs, 1, 2);
    FAIL() << "two slots cannot carry two slices around a ring";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("deadlock"));
    EXPECT_THAT(error.what(), testing::HasSubstr("position 0, role 0"));
    EXPECT_THAT(error.what(), testing::HasSubstr("stage 'reduce'"));
  }
}

TEST(Naive, ReportsAMessageNobodySends) {
  Schedule schedule;
  schedule.space = {3};
  schedule.stages.push_back(
      stage_of("wait", 1, plain_phase(recv_store, 0, PeerMap::linear(0, 1), {})));
  EXPECT_THROW(naive_makespan(schedule, ConstantCosts(schedule, {1, 1, 1, 1}), 1, 1), UsageError);
}

TEST(Naive, RefusesTwoLanesOnOneConnection) {
  Schedule schedule;
  schedule.space = {3};
  schedule.roles = 2;
  const PeerMap next = PeerMap::linear(0, 1);
  schedule.stages.push_back(stage_of("one", 1, plain_phase(action_send, 0, {}, next)));
  schedule.stages.push_back(stage_of("two", 1, plain_phase(action_send, 1, {}, next)));
  EXPECT_THROW(naive_makespan(schedule, ConstantCosts(schedule, {1, 1, 1, 1}), 1, 1), UsageError);
}

TEST(Naive, EmptyScheduleTakesNoTime) {
  Schedule schedule;
  schedule.space = {3};
  EXPECT_EQ(naive_makespan(schedule, ConstantCosts(schedule, {1, 1, 1, 1}), 1, 1).value(), 0);
}

}  // namespace
}  // namespace fabricast
