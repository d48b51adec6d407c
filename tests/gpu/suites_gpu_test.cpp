// Every case of every suite once on the real device, data checked. Skips visibly without one.
#include <gtest/gtest.h>

#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

void run_each(const Suite& suite) {
  const CudaDeviceChoice choice = first_cuda_device();
  if (!choice.device) GTEST_SKIP() << choice.why_not;
  const DeviceFacts& facts = choice.device->facts();
  int run = 0;
  for (const SuiteCase& c : suite.cases(facts)) {
    for (int i = 0; i < 2; ++i) {
      const double value = c.once(*choice.device);
      EXPECT_GT(value, 0) << c.conditions.algorithm << " " << c.conditions.protocol;
      EXPECT_LT(value, 1e7) << c.conditions.algorithm << " " << c.conditions.protocol;
    }
    ++run;
  }
  if (run == 0) GTEST_SKIP() << facts.no_gemm;
}

TEST(SuitesOnGpu, Launch) { run_each(launch_suite()); }
TEST(SuitesOnGpu, HandOff) { run_each(hand_off_suite()); }
TEST(SuitesOnGpu, Lines) { run_each(lines_suite()); }
TEST(SuitesOnGpu, ReduceCopy) { run_each(reduce_copy_suite()); }
TEST(SuitesOnGpu, Memory) { run_each(memory_suite()); }
TEST(SuitesOnGpu, Pcie) { run_each(pcie_suite()); }
TEST(SuitesOnGpu, CopyEngine) { run_each(copy_engine_suite()); }
TEST(SuitesOnGpu, Gemm) { run_each(gemm_suite()); }
TEST(SuitesOnGpu, Overlap) { run_each(overlap_suite()); }

}  // namespace
}  // namespace fabricast
