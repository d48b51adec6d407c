// Instructions and orders that the catalogue does not use, on threads; and what becomes of
// schedules that wait for ever.
#include "tests/conformance/hand_made.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "emulator/base/error.hpp"
#include "emulator/runtime/host_executor.hpp"

namespace fabricast::conformance {
namespace {

void expect_exact(const ExecutionPlan& plan, const char* what, bool also_in_place = true) {
  const auto executor = make_host_executor(plan.ranks());
  for (const bool in_place : {false, true}) {
    if (in_place && !also_in_place) continue;
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max}) {
      executor->prepare({&plan, DataType::float32, op, in_place});
      EXPECT_EQ(executor->check(), 0) << what << (in_place ? " in place" : "");
      EXPECT_EQ(executor->check(), 0) << what << " again";
    }
  }
}

TEST(HandMade, LocalReductionsInScratchBehindAnotherLane) {
  for (const std::int32_t p : {2, 3, 5}) {
    for (const std::int32_t loops : {1, 7}) {
      for (const std::int32_t slices : {1, 3}) {
        Cut cut{p * loops * 41, 4, 1, loops, slices, 4};
        expect_exact(plan_of(all_pairs_all_reduce(p), cut), "all pairs");
        cut.channels = 3;
        cut.elements *= 3;
        expect_exact(plan_of(all_pairs_all_reduce(p), cut), "all pairs, three channels");
      }
    }
  }
}

TEST(HandMade, ChunksThatDifferInLengthCannotChangePlaces) {
  const auto plan = plan_of(all_pairs_all_reduce(3), {100, 4, 1, 1, 1, 4});
  try {
    make_host_executor(3)->prepare({&plan});
    FAIL() << "34, 33 and 33 elements";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("divides evenly into 3 chunks"), std::string::npos)
        << error.what();
  }
}

// Position 1 stores chunk 1 of position 0 as its chunk 0, which is one element longer.
TEST(HandMade, MessagesBetweenChunksOfDifferentLengthAskForAnotherSize) {
  Schedule schedule = ring_in_output(Collective::all_reduce, 2);
  schedule.stages.resize(1);
  const Phase send{action_send,
                   Buffer::input,
                   0,
                   {},
                   PeerMap::linear(0, 1),
                   ChunkMap::from_table(MapTable({1, 1}), 1),
                   Active::range(0, 1)};
  const Phase receive{action_recv | action_copy,
                      Buffer::input,
                      0,
                      PeerMap::linear(0, -1),
                      {},
                      ChunkMap::from_table(MapTable({0, 0}), 1),
                      Active::range(1, 2)};
  schedule.stages[0].groups[0].phases = {send, receive};
  const auto even = plan_of(schedule, {100, 4, 1, 1, 1, 4});
  EXPECT_NO_THROW(make_host_executor(2)->prepare({&even}));
  const auto uneven = plan_of(schedule, {101, 4, 1, 1, 1, 4});
  EXPECT_THROW(make_host_executor(2)->prepare({&uneven}), UsageError);
}

TEST(HandMade, PartsOfBlocksOnConnectionsOfTheirOwn) {
  for (const std::int64_t elements : {0, 1, 6, 7, 100, 3001}) {
    expect_exact(plan_of(two_part_all_gather(3), {elements, 4, 2, 2, 2, 3}), "two parts");
  }
}

TEST(HandMade, InputsThatStartInTheOutput) {
  for (const auto collective : {Collective::all_reduce, Collective::all_gather}) {
    expect_exact(plan_of(ring_in_output(collective, 4), {1003, 4, 2, 2, 2, 4}), "in output");
  }
}

TEST(HandMade, AMessageOrdersWhatItsSenderDidBefore) {
  for (const std::int64_t elements : {0, 1, 7, 4000, 100001}) {
    expect_exact(plan_of(handed_back_broadcast(), {elements, 4, 1, 1, 1, 4}), "handed back");
    expect_exact(plan_of(handed_back_broadcast(), {elements, 4, 1, 5, 2, 2}), "handed back, loops");
  }
}

TEST(HandMade, AMessageOrdersWhatItsReceiverDoesAfterwards) {
  for (const std::int64_t elements : {0, 1, 7, 4000, 100001}) {
    expect_exact(plan_of(looked_at_twice_reduce(), {elements, 4, 1, 1, 1, 4}), "two looks", false);
    expect_exact(plan_of(looked_at_twice_reduce(), {elements, 4, 1, 5, 2, 2}), "two looks, loops",
                 false);
  }
}

TEST(HandMade, AShortOutputCannotHoldTheInput) {
  auto schedule = ring_in_output(Collective::all_reduce, 2);
  schedule.collective = Collective::reduce_scatter;
  const auto plan = plan_of(schedule, {100, 4, 1, 1, 1, 4});
  EXPECT_THROW(make_host_executor(2)->prepare({&plan}), UsageError);
}

std::string error_of(const ExecutionPlan& plan, std::function<void(CompiledPlan&)> edit = {}) {
  HostOptions options;
  options.ranks = plan.ranks();
  options.stall_limit_seconds = 0.4;
  options.edit_program = std::move(edit);
  const auto executor = make_host_executor(options);
  executor->prepare({&plan});
  const auto start = std::chrono::steady_clock::now();
  std::string text;
  try {
    executor->run();
  } catch (const RuntimeError& error) {
    text = error.what();
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_LT(waited.count(), 5.0);  // the machine may be busy
  return text;
}

// Role 1 waits for role 2, which waits for role 1.
TEST(HandMade, LanesThatWaitForEachOtherAreAnErrorNamingBoth) {
  auto schedule = all_pairs_all_reduce(3);
  auto& first_receive = schedule.stages[0].groups[0].phases[1];
  first_receive.after = MapTable({2, 1, 2, 1, 2, 1});
  const auto text = error_of(plan_of(schedule, {300, 4, 1, 1, 1, 8}));
  EXPECT_NE(text.find("role 1 waits at step 0 of 2 (stage scatter, repetition 0, loop 0, slice 0) "
                      "for role 2 to end stage add"),
            std::string::npos)
      << text;
}

TEST(HandMade, AWithheldLaneIsNamedByThoseThatWaitForIt) {
  const auto plan = plan_of(all_pairs_all_reduce(2), {200, 4, 1, 1, 1, 8});
  const auto text = error_of(plan, [](CompiledPlan& compiled) {
    for (auto& lane : compiled.image.lanes) {
      if (lane.role == 1 && lane.rank == 0) lane.bundles = {0};  // never starts
    }
  });
  const bool named =
      text.find("rank 0 channel 0 role 2 waits at step 0 of 4 (stage add") != std::string::npos ||
      text.find("role 3 waits at step 0 of 1 (stage spread") != std::string::npos;
  EXPECT_TRUE(named) << text;
}

}  // namespace
}  // namespace fabricast::conformance
