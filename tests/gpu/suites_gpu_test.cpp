// Every case of every suite twice on the real device, data checked. Skips visibly without one, and
// where matrices are multiplied also if the library refuses some: not every GPU has every type.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "bench/suites/suite.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

void run_twice(const SuiteCase& c, DeviceUnderTest& device) {
  for (int i = 0; i < 2; ++i) {
    const double value = c.once(device);
    EXPECT_GT(value, 0) << label_of(c.conditions);
    EXPECT_LT(value, 1e7) << label_of(c.conditions);
  }
}

enum class OnRefusal : std::uint8_t { fail, skip };

void run_each(const Suite& suite, OnRefusal on_refusal = OnRefusal::fail) {
  const CudaDeviceChoice choice = first_cuda_device();
  if (!choice.device) GTEST_SKIP() << choice.why_not;
  const DeviceFacts& facts = choice.device->facts();
  const auto cases = suite.cases(facts);
  if (cases.empty()) GTEST_SKIP() << facts.no_gemm;
  std::string refused;
  for (const SuiteCase& c : cases) {
    try {
      run_twice(c, *choice.device);
    } catch (const RuntimeError& error) {  // wrong data are a CheckError
      if (on_refusal == OnRefusal::fail) throw;
      refused += "\n  " + label_of(c.conditions) + ": " + error.what();
    }
  }
  if (!refused.empty()) GTEST_SKIP() << "all the others ran; refused:" << refused;
}

TEST(SuitesOnGpu, Launch) { run_each(launch_suite()); }
TEST(SuitesOnGpu, HandOff) { run_each(hand_off_suite()); }
TEST(SuitesOnGpu, Lines) { run_each(lines_suite()); }
TEST(SuitesOnGpu, ReduceCopy) { run_each(reduce_copy_suite()); }
TEST(SuitesOnGpu, Memory) { run_each(memory_suite()); }
TEST(SuitesOnGpu, Pcie) { run_each(pcie_suite()); }
TEST(SuitesOnGpu, CopyEngine) { run_each(copy_engine_suite()); }
TEST(SuitesOnGpu, Gemm) { run_each(gemm_suite(), OnRefusal::skip); }
TEST(SuitesOnGpu, Overlap) { run_each(overlap_suite(), OnRefusal::skip); }

}  // namespace
}  // namespace fabricast
