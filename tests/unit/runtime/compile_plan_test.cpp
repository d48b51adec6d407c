#include "emulator/runtime/compile_plan.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "emulator/base/error.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/partition.hpp"
#include "tests/unit/schedule/fitting_space.hpp"

namespace fabricast {
namespace {

PlanLimits small_limits() { return {3, 256, 64, 0, 4, 3}; }

// The arithmetic of the lanes and the arithmetic of engines and verifiers are one.
TEST(CompilePlan, LanesCutTheMessageAsThePartitionSays) {
  for (const auto& row : algorithm_catalogue()) {
    const RankSpace space = fitting_space(row, {2, 3});
    const std::string algorithm = row.name;
    const auto plan = make_plan(row.collective, algorithm, space, 4 * 1021, 4, small_limits());
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

// A protocol changes what a slot holds, never how the message is cut.
TEST(CompilePlan, AProtocolChangesOnlyTheSlots) {
  const auto plan = make_plan(Collective::all_reduce, "tree", RankSpace{5}, 1 << 20, 4,
                              {2, 1 << 16, 1 << 14, 0, 8, 4});
  const auto slot_bytes = [&](HandOff hand_off) {
    return compile_plan({&plan, DataType::float32, ReduceOp::sum, false, hand_off}, 0, 5)
        .image.slot_bytes;
  };
  const auto simple = slot_bytes(HandOff::simple);
  EXPECT_GE(slot_bytes(HandOff::ll), 2 * plan.slice_bytes);
  EXPECT_LE(slot_bytes(HandOff::ll), 2 * simple);
  EXPECT_GE(slot_bytes(HandOff::ll128), plan.slice_bytes * 16 / 15);
  EXPECT_LE(slot_bytes(HandOff::ll128), simple * 16 / 15 + 256);
  EXPECT_TRUE(compile_plan({&plan}, 0, 5).image.orders_lanes) << "up and down share the output";
  const auto ring = make_plan(Collective::all_reduce, "ring", RankSpace{5}, 5000, 4, {});
  EXPECT_FALSE(compile_plan({&ring}, 0, 5).image.orders_lanes);
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

// One phase of a ring of three, changed.
ExecutionPlan ring_with(Collective collective, std::size_t stage,
                        const std::function<void(Phase&)>& edit) {
  return edited(collective, "ring", RankSpace{3},
                [&](Schedule& s) { edit(s.stages[stage].groups[0].phases[0]); });
}

TEST(CompilePlan, EveryNewFieldOfAStepIsChecked) {
  const auto reduce = Collective::all_reduce;
  const std::size_t last = 4;  // receives and stores
  expect_rejected(ring_with(reduce, 0, [](Phase& p) { p.action |= action_reduce; }),
                  "none of the legal combinations");
  expect_rejected(ring_with(reduce, last, [](Phase& p) { p.target = Buffer::input; }),
                  "overwrites the user's input");
  expect_rejected(ring_with(reduce, last, [](Phase& p) { p.target = Buffer::scratch; }),
                  "outside the scratch");
  expect_rejected(ring_with(reduce, 0, [](Phase& p) { p.source = Buffer::scratch; }),
                  "outside the scratch");
  expect_rejected(ring_with(reduce, last,
                            [](Phase& p) {
                              p.target_chunk = {{{1, -1, 0, 0, 3, 4}, {}}};
                            }),
                  "outside the schedule's");
  expect_rejected(ring_with(reduce, 0,
                            [](Phase& p) {
                              p.chunk.count = 2;
                              p.chunk.stride = 4;
                            }),
                  "occur twice");
  expect_rejected(ring_with(reduce, 0,
                            [](Phase& p) {
                              p.after = MapTable({1, 0, 1, 0, 1, 0});
                            }),
                  "does not exist");
  expect_rejected(ring_with(reduce, 0,
                            [](Phase& p) {
                              p.after = MapTable({0, 5, 0, 5, 0, 5});
                            }),
                  "does not exist");
  expect_rejected(
      ring_with(Collective::reduce_scatter, 2, [](Phase& p) { p.chunk.terms[0].b += 1; }),
      "another rank's block");
}

TEST(CompilePlan, BuffersThatOnlyTheRootHasAreUsedThereOnly) {
  const auto everywhere = [](Schedule& s) {
    for (auto& stage : s.stages) {
      for (auto& phase : stage.groups[0].phases) phase.action |= action_copy;
    }
  };
  expect_rejected(edited(Collective::reduce, "ring", RankSpace{3}, everywhere),
                  "writes an output that only the root has");
  expect_rejected(
      edited(Collective::scatter, "direct", RankSpace{3},
             [](Schedule& s) { s.stages[0].groups[0].phases[0].active = Active::range(1, 3); }),
      "reads an input that only the root has");
}

TEST(CompilePlan, BothEndsOfAConnectionCountTheSameMessages) {
  const auto expect_uneven = [](const ExecutionPlan& plan) {
    try {
      compile_plan({&plan}, 0, 3);
      FAIL() << "accepted";
    } catch (const RuntimeError& error) {
      EXPECT_NE(std::string(error.what()).find("number, length or parts differ"), std::string::npos)
          << error.what();
    }
  };
  // A chunk too many in one message; a message too few.
  expect_uneven(ring_with(Collective::all_reduce, 0, [](Phase& p) { p.chunk.count = 2; }));
  expect_uneven(edited(Collective::all_reduce, "ring", RankSpace{3},
                       [](Schedule& s) { s.stages.pop_back(); }));
}

TEST(CompilePlan, ParallelFifosAreConnectionsOfTheirOwnWithEqualLabelsEverywhere) {
  const RankSpace space{4};
  const auto plan = make_plan(Collective::all_reduce, "nvls", space, 4096, 4, small_limits());
  EXPECT_EQ(connection_labels(plan), 3 * 2);  // channels x (towards the reduction, multicast)
  const auto all = compile_plan({&plan}, 0, 4);
  EXPECT_EQ(all.connections.size(), 3u * 4 * 3 * 2);
  for (std::int32_t rank = 0; rank < 4; ++rank) {
    for (const auto& mine : compile_plan({&plan}, rank, rank + 1).connections) {
      EXPECT_EQ(mine.label, mine.channel * 2 + mine.fifo);
      EXPECT_LT(mine.label, connection_labels(plan));
    }
  }
}

TEST(CompilePlan, ScratchOfChannelsIsDisjointAndBehindTheUsersBuffers) {
  const auto plan =
      make_plan(Collective::reduce_scatter, "pat", RankSpace{3}, 3 * 4 * 301, 4, small_limits());
  const auto compiled = compile_plan({&plan}, 0, 3);
  const auto& b = compiled.image.buffers[1];
  std::int64_t last_end = b.output_offset + b.output_bytes;
  for (const auto& lane : compiled.image.lanes) {
    if (lane.rank != 1) continue;
    EXPECT_GE(lane.scratch_offset, last_end);
    EXPECT_EQ(lane.scratch_offset % 128, 0);
    EXPECT_GE(lane.scratch_chunk_bytes, 3 * 4);
    last_end = lane.scratch_offset + 3 * lane.scratch_chunk_bytes;
  }
  EXPECT_EQ(b.allocation_bytes, last_end);
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
