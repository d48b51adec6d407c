#include "emulator/runtime/compile_plan.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "emulator/base/error.hpp"
#include "emulator/schedule/partition.hpp"

namespace fabricast {
namespace {

PlanLimits small_limits() { return {3, 256, 64, 0, 4, 3}; }

// The arithmetic of the lanes and the arithmetic of engines and verifiers are one.
TEST(CompilePlan, LanesCutTheMessageAsThePartitionSays) {
  const RankSpace space{2, 3};
  for (const auto& [collective, algorithm] : {std::pair{Collective::all_reduce, "ring"},
                                              {Collective::all_reduce, "tree"},
                                              {Collective::all_reduce, "hierarchical"},
                                              {Collective::all_gather, "hierarchical"},
                                              {Collective::reduce_scatter, "ring"},
                                              {Collective::broadcast, "ring"},
                                              {Collective::all_to_all, "pairwise"}}) {
    const auto plan = make_plan(collective, algorithm, space, 4 * 1021, 4, small_limits());
    const auto compiled = compile_plan({&plan}, 0, 6);
    for (const auto& lane : compiled.image.lanes) {
      auto layout = lane.layout;
      if (lane.block_table >= 0) {
        layout.block_of_chunk =
            compiled.image.block_tables[static_cast<std::size_t>(lane.block_table)].data();
      }
      const auto& channel = plan.channels[static_cast<std::size_t>(lane.channel)];
      for (std::int32_t loop = 0; loop < plan.loops; ++loop) {
        for (std::int32_t chunk = 0; chunk < channel.schedule->chunks; ++chunk) {
          for (std::int32_t slice = 0; slice < plan.slices; ++slice) {
            const auto part = lane::message_part(layout, loop, chunk, slice);
            const auto expected = message_elements(plan, lane.channel, loop, chunk, slice);
            ASSERT_EQ(part.within.count, expected.count) << algorithm;
            if (expected.count > 0) {
              ASSERT_EQ(part.base + part.within.first, expected.first);
            }
          }
        }
      }
    }
  }
}

TEST(CompilePlan, EveryConnectionIsUsedFromBothEndsEquallyOften) {
  const auto plan =
      make_plan(Collective::all_reduce, "tree", RankSpace{7}, 5000, 4, small_limits());
  const auto compiled = compile_plan({&plan}, 0, 7);
  EXPECT_FALSE(compiled.connections.empty());
  for (const auto& connection : compiled.connections) {
    EXPECT_EQ(connection.sent, connection.received);
    EXPECT_GT(connection.sent, 0);
    EXPECT_EQ(compiled.image.lanes[static_cast<std::size_t>(connection.sending_lane)].rank,
              connection.source);
    EXPECT_EQ(compiled.image.lanes[static_cast<std::size_t>(connection.receiving_lane)].rank,
              connection.destination);
  }
}

TEST(CompilePlan, SlotsHoldTheLargestMessageAndItsAlignment) {
  const auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{2}, 1 << 20, 4,
                              {1, 1 << 20, 1 << 20, 0, 8, 4});
  const auto compiled = compile_plan({&plan}, 0, 2);
  EXPECT_GE(compiled.image.slot_bytes, (1 << 19) + 15);
  EXPECT_LT(compiled.image.slot_bytes, (1 << 19) + 256);
  EXPECT_EQ(compiled.image.slot_bytes % 128, 0);
}

TEST(CompilePlan, OneProcessCompilesOnlyItsOwnLanes) {
  const auto plan = make_plan(Collective::all_to_all, "pairwise", RankSpace{4}, 4096, 4, {});
  const auto compiled = compile_plan({&plan}, 2, 3);
  ASSERT_EQ(compiled.image.lanes.size(), 2u);  // a sending and a receiving role
  for (const auto& lane : compiled.image.lanes) EXPECT_EQ(lane.rank, 2);
  EXPECT_EQ(compiled.connections.size(), 6u);  // to and from three others
}

// A plan whose schedule was edited by `edit`.
template <class Edit>
ExecutionPlan edited(Collective collective, const char* algorithm, const RankSpace& space,
                     const Edit& edit) {
  auto plan = make_plan(collective, algorithm, space, 4096, 4, {});
  auto schedule = std::make_shared<Schedule>(*plan.channels[0].schedule);
  edit(*schedule);
  plan.channels[0].schedule = schedule;
  return plan;
}

void expect_rejected(const ExecutionPlan& plan, const std::string& text) {
  try {
    compile_plan({&plan}, 0, plan.ranks());
    FAIL() << "accepted, expected: " << text;
  } catch (const RuntimeError& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("step"), std::string::npos) << error.what();
  }
}

TEST(CompilePlan, WrongSchedulesAreRejectedBeforeTheyTouchMemory) {
  expect_rejected(
      edited(Collective::all_reduce, "ring", RankSpace{3}, [](Schedule& s) { s.chunks = 2; }),
      "chunks");
  expect_rejected(edited(Collective::all_reduce, "ring", RankSpace{3},
                         [](Schedule& s) { s.stages[0].groups[0].phases[0].peer_out = {}; }),
                  "sends to no rank");
  expect_rejected(edited(Collective::all_gather, "ring", RankSpace{3},
                         [](Schedule& s) {
                           auto& phase = s.stages[0].groups[0].phases[0];
                           phase.chunk.terms[0].b += 1;
                         }),
                  "another rank's block");
}

TEST(CompilePlan, TwoLanesMayNotShareAConnection) {
  const auto plan = edited(Collective::all_to_all, "pairwise", RankSpace{3}, [](Schedule& s) {
    auto& phases = s.stages.back().groups[0].phases;
    phases.push_back(phases[1]);
    phases.back().role = 2;
    s.roles = 3;
  });
  EXPECT_THROW(compile_plan({&plan}, 0, 3), RuntimeError);
}

TEST(CompilePlan, RequestsThatCannotBe) {
  const auto plan = make_plan(Collective::all_to_all, "pairwise", RankSpace{2}, 4096, 4, {});
  EXPECT_THROW(compile_plan({&plan, DataType::float16, ReduceOp::sum, false}, 0, 2), UsageError);
  EXPECT_THROW(compile_plan({&plan, DataType::float32, ReduceOp::sum, true}, 0, 2), UsageError);
  EXPECT_THROW(compile_plan({nullptr}, 0, 2), UsageError);
}

}  // namespace
}  // namespace fabricast
