#include "emulator/runtime/host_executor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "emulator/base/error.hpp"
#include "emulator/runtime/usable_cores.hpp"

namespace fabricast {
namespace {

constexpr double stall_limit = 0.5;  // a busy test machine may keep threads waiting for 0.1 s

ExecutionPlan ring(std::int32_t ranks, std::int64_t bytes = 4096) {
  return make_plan(Collective::all_reduce, "ring", RankSpace{ranks}, bytes, 4, {});
}

std::unique_ptr<Executor> with_fault(std::int32_t ranks, std::function<void(CompiledPlan&)> edit) {
  HostOptions options;
  options.ranks = ranks;
  options.stall_limit_seconds = stall_limit;
  options.edit_program = std::move(edit);
  return make_host_executor(options);
}

lane::LaneImage& lane_of(CompiledPlan& compiled, std::int32_t rank) {
  for (auto& lane : compiled.image.lanes) {
    if (lane.rank == rank) return lane;
  }
  throw std::logic_error("no such lane");
}

void drop_step(CompiledPlan& compiled, std::int32_t rank, std::size_t step) {
  auto& lane = lane_of(compiled, rank);
  const auto at = static_cast<std::ptrdiff_t>(step);
  lane.steps.erase(lane.steps.begin() + at);
  lane.links.erase(lane.links.begin() + at);
  for (auto& bundle : lane.bundles) {
    if (bundle > static_cast<std::int32_t>(step)) --bundle;
  }
}

TEST(HostExecutor, ADroppedStepIsAnErrorNamingLaneAndStepWithinTheLimit) {
  const auto plan = ring(4);
  const auto executor = with_fault(4, [](CompiledPlan& c) { drop_step(c, 1, 0); });
  executor->prepare({&plan});
  const auto start = std::chrono::steady_clock::now();
  try {
    executor->run();
    FAIL() << "the collective ended although a step is missing";
  } catch (const RuntimeError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("rank "), std::string::npos) << text;
    EXPECT_NE(text.find("channel 0 role 0 waits at step "), std::string::npos) << text;
    EXPECT_NE(text.find("a message from rank "), std::string::npos) << text;
    EXPECT_NE(text.find("stage "), std::string::npos) << text;
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited.count(), stall_limit);
  EXPECT_LT(waited.count(), 2.0);
}

TEST(HostExecutor, ARunAfterAStallStartsAfresh) {
  bool faulty = true;
  const auto plan = ring(2);
  const auto executor = with_fault(2, [&](CompiledPlan& c) {
    if (faulty) drop_step(c, 0, 0);
  });
  executor->prepare({&plan});
  EXPECT_THROW(executor->run(), RuntimeError);
  faulty = false;
  executor->prepare({&plan});
  EXPECT_EQ(executor->check(), 0);
}

TEST(HostExecutor, AMessageNobodyReceivesIsAnError) {
  const auto plan = ring(2);
  const auto executor =
      with_fault(2, [](CompiledPlan& c) { drop_step(c, 1, lane_of(c, 1).steps.size() - 1); });
  executor->prepare({&plan});
  EXPECT_THROW(executor->run(), RuntimeError);
}

TEST(HostExecutor, TooFewSlotsDeadlockAndSaySo) {
  // docs/semantics.md 4.3: a ring step that receives and sends needs D > slices.
  auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{3}, 3 * 4096, 4,
                        {1, 4096, 1024, 0, 8, 4});
  ASSERT_EQ(plan.slices, 4);
  auto schedule = *plan.channels[0].schedule;
  schedule.fifo_depth = 3;
  plan.channels[0].schedule = std::make_shared<const Schedule>(schedule);
  const auto executor = with_fault(3, {});
  executor->prepare({&plan});
  try {
    executor->run();
    FAIL() << "three slots cannot hold four slices";
  } catch (const RuntimeError& error) {
    EXPECT_NE(std::string(error.what()).find("a free slot towards rank"), std::string::npos)
        << error.what();
  }
}

TEST(HostExecutor, CheckFindsAReductionThatWasLeftOut) {
  const auto plan = ring(3);
  const auto executor = with_fault(3, [](CompiledPlan& c) {
    for (auto& step : lane_of(c, 2).steps) {
      step.action = step.action & (15u - action_reduce);
    }
  });
  executor->prepare({&plan});
  EXPECT_GT(executor->check(), 0);
}

TEST(HostExecutor, RefusesToTimeMoreRanksThanCores) {
  const std::int32_t cores = usable_cores().count;
  const auto executor = make_host_executor(cores + 1);
  EXPECT_TRUE(executor->may_time(ring(cores)).allowed);
  const auto verdict = executor->may_time(ring(cores + 1));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_NE(verdict.reason.find(std::to_string(cores + 1)), std::string::npos) << verdict.reason;
  EXPECT_NE(verdict.reason.find(std::to_string(cores) + " can be used"), std::string::npos);
}

TEST(HostExecutor, HoldsAsManyRanksAsCoresByDefault) {
  EXPECT_EQ(make_host_executor(0)->max_ranks(), usable_cores().count);
  EXPECT_EQ(make_host_executor(5)->max_ranks(), 5);
}

TEST(HostExecutor, APlanWithTooManyRanksIsAUsageError) {
  const auto plan = ring(3);
  EXPECT_THROW(make_host_executor(2)->prepare({&plan}), UsageError);
}

TEST(HostExecutor, RunNeedsPrepare) {
  EXPECT_THROW(make_host_executor(2)->run(), UsageError);
  EXPECT_THROW(make_host_executor(2)->check(), UsageError);
}

TEST(HostExecutor, KeepsItsOwnCopyOfThePlan) {
  const auto executor = make_host_executor(2);
  {
    const auto plan = ring(2);
    executor->prepare({&plan});
  }
  EXPECT_EQ(executor->check(), 0);
}

TEST(HostExecutor, MoreBytesTakeMoreTime) {
  if (usable_cores().count < 2) GTEST_SKIP() << "needs two cores";
  const auto executor = make_host_executor(2);
  const auto best_of = [&](std::int64_t bytes) {
    const auto plan = ring(2, bytes);
    executor->prepare({&plan});
    double best = executor->run();
    for (int i = 0; i < 9; ++i) best = std::min(best, executor->run());
    return best;
  };
  EXPECT_GT(best_of(32 << 20), 4 * best_of(64 << 10));
}

}  // namespace
}  // namespace fabricast
