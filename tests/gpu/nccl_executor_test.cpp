// NCCL on the GPUs of one process, against the same reference.
#include <gtest/gtest.h>

#include "emulator/runtime/executor.hpp"
#include "tests/conformance/conformance.hpp"

namespace fabricast::conformance {
namespace {

TEST(NcclExecutorTest, EveryCollectiveIsBitExact) {
  const auto nccl = nccl_availability();
  if (!nccl.available) GTEST_SKIP() << nccl.reason;
  const auto executor = make_nccl_executor(Communicator::null());
  const RankSpace space{executor->max_ranks()};
  // The library chooses the algorithm: one row per collective carries it.
  for (const auto& row : algorithm_catalogue()) {
    if (row.name != algorithms_of(row.collective).front()) continue;
    EXPECT_GE(run_cases(*executor, shape_cases(row, space)).exact, 8);
    EXPECT_EQ(run_cases(*executor, type_cases(row, space)).exact, 12);
  }
}

// Behind gates, which hold nothing when the operation runs for the first time.
TEST(NcclExecutorTest, TimesComeOut) {
  const auto nccl = nccl_availability();
  if (!nccl.available) GTEST_SKIP() << nccl.reason;
  const auto executor = make_nccl_executor(Communicator::null());
  const auto plan =
      make_plan(Collective::all_reduce, "ring", RankSpace{executor->max_ranks()}, 1 << 20, 4, {});
  for (const bool graph : {false, true}) {
    SCOPED_TRACE(graph);
    RunRequest request{&plan};
    request.graph = graph;
    executor->prepare(request);
    for (int i = 0; i < 3; ++i) EXPECT_GT(executor->run(), 0);
    executor->observe();
    EXPECT_GT(executor->run(), 0);
    EXPECT_EQ(executor->check(), 0);
  }
}

}  // namespace
}  // namespace fabricast::conformance
