// Programs in turns of lanes: every clock where step-by-step control leaves it, with own costs and
// with drawn ones, and few slots at a time.
#include "emulator/sim/lane_stream.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/jitter_sweep.hpp"
#include "emulator/sim/wired_sweep.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

// The same program, of which nobody knows the order.
WiredProgram without_order(WiredProgram program) {
  for (WiredSegment& segment : program.segments) segment.order.reset();
  return program;
}

std::vector<Schedule> schedules(std::int32_t chunks) {
  return {tree_all_reduce({3, 7}, chunks, false), tree_all_reduce({4, 6}, chunks, true),
          tree_all_reduce({1, 13}, chunks, true), tree_all_reduce({9, 1}, chunks, false),
          chain_broadcast({5, 3}, chunks),        chain_reduce({2, 8}, chunks)};
}

TEST(LaneStream, EqualsControl) {
  for (const std::int32_t chunks : {1, 4, 29}) {
    for (Schedule& schedule : schedules(chunks)) {
      for (const std::int32_t depth : {2, 3, 8}) {
        schedule.fifo_depth = depth;
        const RandomCosts costs(schedule, 3, CostTemper::random);
        const WiredProgram program = wire(schedule, costs);
        ASSERT_TRUE(LaneStream::applies(program)) << schedule.algorithm;
        for (const std::int32_t slices : {1, 3}) {
          const auto turns = wired_sweep(program, 2, slices, false);
          const auto control = wired_sweep(without_order(program), 2, slices, false);
          EXPECT_EQ(turns.makespan_ps, control.makespan_ps);
          EXPECT_EQ(turns.updates, control.updates);
          ASSERT_EQ(turns.stages.size(), control.stages.size());
          EXPECT_EQ(turns.stages.front().start_ps, control.stages.front().start_ps);
          EXPECT_EQ(turns.stages.front().end_ps, control.stages.front().end_ps);
        }
      }
    }
  }
}

// Costs of more than 32 bits too.
TEST(LaneStream, DrawsEqualThoseUnderControl) {
  const std::vector<std::uint64_t> keys{member_key(1, 0, 0), member_key(1, 1, 0),
                                        member_key(1, 2, 0)};
  for (const char* jitter : {"lognormal:0.3", "spike:0.1:40"}) {
    const FactorTable table(jitter_from(jitter));
    for (const Schedule& schedule : schedules(11)) {
      for (const CostTemper temper : {CostTemper::random, CostTemper::huge}) {
        const RandomCosts costs(schedule, 5, temper);
        const WiredProgram program = wire(schedule, costs);
        for (const InstructionSet set : available_instruction_sets()) {
          EXPECT_EQ(
              jitter_sweep(program, table, keys, 2, 2, set).makespan_ps,
              jitter_sweep(without_order(program), table, keys, 2, 2, InstructionSet::baseline)
                  .makespan_ps)
              << jitter << " on " << to_string(set);
        }
      }
    }
  }
}

TEST(LaneStream, FewConnectionsHaveSlotsAtATime) {
  const Schedule schedule = tree_all_reduce({72, 64}, 32, false);
  const RandomCosts costs(schedule, 1, CostTemper::random);
  const WiredProgram program = wire(schedule, costs);
  const auto connections = static_cast<std::int64_t>(program.connections.size());
  const std::int64_t clocks = program.lanes * std::int64_t{20} + connections * 4;
  const std::int64_t slots =
      wired_sweep(program, 1, 1, false).state_bytes - program_bytes(program) - clocks;
  EXPECT_GT(slots, 0);
  EXPECT_LT(slots, connections * schedule.fifo_depth * 8 / 4);
}

}  // namespace
}  // namespace fabricast
