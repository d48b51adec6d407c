// Every schedule over MPI messages, one rank per process; run under mpirun with 1 to 4 processes.
// All processes execute the same tests in the same order.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/mpi_executor.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "tests/conformance/conformance.hpp"
#include "tests/conformance/hand_made.hpp"
#include "tests/conformance/imported.hpp"

namespace fabricast {
namespace {

Communicator& world() {
  static Communicator communicator = Communicator::world();
  return communicator;
}

// One to four processes; the domains are as many as these can be.
std::vector<RankSpace> spaces_of(std::int32_t processes) {
  std::vector<RankSpace> spaces{RankSpace{processes}};
  if (processes >= 2) spaces.push_back(RankSpace{2, processes / 2});
  return spaces;
}

TEST(MpiExecutor, EveryScheduleIsBitExactOrRefusedForItsReason) {
  const auto executor = make_mpi_executor(world());
  EXPECT_EQ(executor->max_ranks(), world().size());
  for (const AlgorithmEntry& row : algorithm_catalogue()) {
    const auto spaces = spaces_of(world().size());
    const bool fits = std::any_of(spaces.begin(), spaces.end(), [&row](const RankSpace& space) {
      return why_not(row, space).empty();
    });
    if (fits) {
      conformance::run_row(*executor, row, spaces, 8);
    } else {  // every case is refused for its reason
      const auto cases = conformance::shape_cases(row, RankSpace{world().size()});
      EXPECT_EQ(conformance::run_cases(*executor, cases).refused, static_cast<int>(cases.size()));
    }
  }
}

TEST(MpiExecutor, EveryInstructionAndParallelConnections) {
  const std::int32_t p = world().size();
  if (p < 2) GTEST_SKIP() << "needs two processes";
  const auto executor = make_mpi_executor(world());
  for (const auto& plan :
       {conformance::plan_of(conformance::all_pairs_all_reduce(p), {p * 6 * 31, 4, 1, 3, 2, 3}),
        conformance::plan_of(conformance::two_part_all_gather(p), {1001, 4, 2, 2, 2, 3}),
        conformance::plan_of(conformance::ring_in_output(Collective::all_reduce, p),
                             {1003, 4, 2, 2, 2, 4})}) {
    for (const bool in_place : {false, true}) {
      executor->prepare({&plan, DataType::float32, ReduceOp::sum, in_place});
      EXPECT_EQ(executor->check(), 0) << plan.algorithm;
    }
  }
}

TEST(MpiExecutor, AlgorithmFilesAreBitExact) {
  const std::int32_t p = world().size();
  const auto executor = make_mpi_executor(world());
  auto files = conformance::random_exports(p, 11, 120);
  EXPECT_GT(files.size(), 25u);
  if (p > 1) {
    for (auto& file : conformance::files_of(p)) files.push_back(std::move(file));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    conformance::run_imported(*executor, read_msccl_xml(files[i], "f.xml"), i);
  }
}

TEST(MpiExecutor, MoreParallelConnectionsThanTagsIsAUsageErrorEverywhere) {
  auto schedule = conformance::two_part_all_gather(1);
  schedule.stages[0].groups[0].phases[0].peer_out.fifo = 255;
  const auto plan = conformance::plan_of(schedule, {64, 4, 5, 1, 1, 4});
  EXPECT_THROW(make_mpi_executor(world())->prepare({&plan}), UsageError);
}

TEST(MpiExecutor, LargeMessagesUseTheRendezvousPath) {
  // Above MPI's eager limit (4 KiB for shared memory in Open MPI) sends wait for their receives.
  const auto executor = make_mpi_executor(world());
  const auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{world().size()}, 3 << 20, 4,
                              {1, 1 << 20, 256 << 10, 0, 4, 2});
  executor->prepare({&plan});
  EXPECT_EQ(executor->check(), 0);
  EXPECT_GT(executor->run(), 0.0);
}

TEST(MpiExecutor, ProcessesBeyondThePlanSitOut) {
  if (world().size() < 2) GTEST_SKIP() << "needs two processes";
  const auto executor = make_mpi_executor(world());
  const auto plan =
      make_plan(Collective::all_gather, "ring", RankSpace{world().size() - 1}, 4096, 4, {});
  executor->prepare({&plan});
  EXPECT_EQ(executor->check(), 0);
}

TEST(MpiExecutor, TooManyRanksIsAUsageErrorEverywhere) {
  const auto executor = make_mpi_executor(world());
  const auto plan =
      make_plan(Collective::all_reduce, "ring", RankSpace{world().size() + 1}, 4096, 4, {});
  EXPECT_THROW(executor->prepare({&plan}), UsageError);
}

TEST(MpiExecutor, EveryProcessHasTheSameVerdictAboutTiming) {
  const auto executor = make_mpi_executor(world());
  const auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{1}, 64, 4, {});
  const auto verdict = executor->may_time(plan);
  EXPECT_EQ(world().sum(verdict.allowed ? 1 : 0), verdict.allowed ? world().size() : 0);
  EXPECT_EQ(verdict.reason.empty(), verdict.allowed);
}

TEST(MpiExecutor, AWrongResultOnOneProcessIsSeenByAll) {
  if (world().size() < 2) GTEST_SKIP() << "needs two processes";
  MpiOptions options;
  options.edit_program = [](CompiledPlan& compiled) {
    for (auto& lane : compiled.image.lanes) {
      if (lane.rank != 1) continue;
      for (auto& step : lane.steps) {
        step.action = step.action & (15u - action_reduce);
      }
    }
  };
  const auto executor = make_mpi_executor(world(), options);
  const auto plan =
      make_plan(Collective::all_reduce, "ring", RankSpace{world().size()}, 4096, 4, {});
  executor->prepare({&plan});
  EXPECT_GT(executor->check(), 0);
}

// Process 0 leaves its first message out: whoever waits for it says so, and all processes fail
// alike.
TEST(MpiExecutor, ADroppedStepIsTheSameErrorOnEveryProcessWithinTheLimit) {
  if (world().size() < 2) GTEST_SKIP() << "needs two processes";
  MpiOptions options;
  options.stall_limit_seconds = 0.5;
  options.edit_program = [](CompiledPlan& compiled) {
    auto& lane = compiled.image.lanes.front();
    if (lane.rank != 0) return;
    lane.steps.erase(lane.steps.begin());
    lane.links.erase(lane.links.begin());
    for (auto& bundle : lane.bundles) bundle = bundle > 0 ? bundle - 1 : 0;
  };
  const auto plan =
      make_plan(Collective::all_reduce, "ring", RankSpace{world().size()}, 4096, 4, {});
  const auto executor = make_mpi_executor(world(), options);
  executor->prepare({&plan});
  const auto start = std::chrono::steady_clock::now();
  std::string text;
  try {
    executor->run();
  } catch (const RuntimeError& error) {
    text = error.what();
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_LT(waited.count(), 10.0);  // the default limit is 30 s; the machine may be busy
  EXPECT_NE(text.find("waits at step"), std::string::npos) << text;
  for (const auto& other : world().all_gather(text)) EXPECT_EQ(other, text);

  // What the failed run left in flight must not be taken for messages of the next one.
  const auto sound = make_mpi_executor(world());
  sound->prepare({&plan});
  EXPECT_EQ(sound->check(), 0);
}

}  // namespace
}  // namespace fabricast

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  fabricast::world();
  const int result = RUN_ALL_TESTS();
  fabricast::Communicator::finish();
  return result;
}
