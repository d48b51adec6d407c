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

// Three members through a switch: 0 is slow to scatter, all reduce and multicast, all gather.
// lane 10, port 30, latency 5, credit 7 each; scatter of position 0 costs 100 on its lane.
//   scatter 0: end 100, port 0..30, ready 100 + 5;  1 and 2: end 10, port 30, ready 35
//   reduce 1 and 2 wait for 0: start 105, end 115, port 105..135, ready 140;
//   reduce 0: start max(35, 35) = 35, end 45, port 35..65, ready 70
//   gather 0: start 140, end 150; gather 1: max(70, 140), end 150
class SlowScatter final : public StepCosts {
 public:
  explicit SlowScatter(const Schedule& schedule) : costs_(schedule, {10, 30, 5, 7}) {}
  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override {
    costs_.fill(stage, group, phase, k, rows);
    if (phase == 0) rows.lane[0] = 100;
  }

 private:
  ConstantCosts costs_;
};

TEST(Naive, AGroupIsOneStep) {
  Schedule schedule;
  schedule.space = {3};
  schedule.roles = 3;
  const PeerMap up = PeerMap::group(0, 0), down = PeerMap::group(0, 1);
  PhaseGroup group;
  group.phases.push_back(plain_phase(action_send, 0, {}, up));
  group.phases.back().per_member = true;
  group.phases.push_back(plain_phase(recv_reduce_forward, 1, up, down));
  group.phases.push_back(plain_phase(recv_store, 2, down, {}));
  group.phases.back().per_member = true;
  schedule.stages.push_back({"in_switch", 1, {std::move(group)}});
  const NaiveTimeline timeline = naive_timeline(schedule, SlowScatter(schedule), 1, 1);
  EXPECT_EQ(timeline.lane_end, (std::vector<std::int64_t>{100, 45, 150, 10, 115, 150, 10, 115, 150}));
  EXPECT_EQ(timeline.messages, 9);
  EXPECT_EQ(timeline.longest_port_sum, 30);
}

// Two FIFOs between the same ranks are two queues: the second message overtakes the first.
TEST(Naive, ParallelFifosAreQueuesOfTheirOwn) {
  Schedule schedule;
  schedule.space = {2};
  schedule.roles = 2;
  schedule.fifo_depth = 1;
  PeerMap first = PeerMap::linear(0, 1), second = PeerMap::linear(0, 1);
  second.fifo = 1;
  const Active sender = Active::range(0, 1), receiver = Active::range(1, 2);
  schedule.stages.push_back(
      stage_of_phases("send", {plain_phase(action_send, 0, {}, first, sender),
                               plain_phase(action_send, 0, {}, second, sender)}));
  schedule.stages.push_back(stage_of_phases(
      "receive", {plain_phase(recv_store, 1, second, {}, receiver),
                  plain_phase(recv_store, 1, first, {}, receiver)}));
  // One queue would hand out the first message first; with two, the lane takes the second one at
  // 2 * 10 + 30 + 5 (its port is free at 30), then the first, long there.
  const ConstantCosts costs(schedule, {10, 30, 5, 7}, 1, 0);
  const NaiveTimeline timeline = naive_timeline(schedule, costs, 1, 1);
  EXPECT_EQ(timeline.lane_end[3], 65 + 2);
}

TEST(Naive, ALaneWaitsForTheStageOfAnother) {
  Schedule schedule;
  schedule.space = {1};
  schedule.roles = 2;
  Phase work = plain_phase(action_copy, 0, {}, {});
  Phase waits = plain_phase(action_none, 1, {}, {});
  waits.after = MapTable({0, 0});  // role 0, stage 0
  schedule.stages.push_back(stage_of("work", 3, work));
  schedule.stages.push_back(stage_of("later", 1, work));
  schedule.stages.push_back(stage_of("wait", 1, waits));
  const ConstantCosts costs(schedule, {}, 0, 10);
  const NaiveTimeline timeline = naive_timeline(schedule, costs, 2, 1);
  // Role 0: 30, 40 | 70, 80. Role 1 waits for 30, works to 40; then for 70, works to 80.
  EXPECT_EQ(timeline.lane_end, (std::vector<std::int64_t>{80, 80}));
  EXPECT_EQ(timeline.stages[2].start_ps, 30);
}

TEST(Naive, EmptyScheduleTakesNoTime) {
  Schedule schedule;
  schedule.space = {3};
  EXPECT_EQ(naive_makespan(schedule, ConstantCosts(schedule, {1, 1, 1, 1}), 1, 1).value(), 0);
}

}  // namespace
}  // namespace fabricast
