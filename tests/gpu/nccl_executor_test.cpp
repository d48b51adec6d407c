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
  for (const Collective collective : all_collectives) {
    EXPECT_GE(run_cases(*executor, shape_cases(collective, space)), 8);
    EXPECT_GE(run_cases(*executor, type_cases(collective, space)), 12);
  }
}

}  // namespace
}  // namespace fabricast::conformance
