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

}  // namespace
}  // namespace fabricast::conformance
