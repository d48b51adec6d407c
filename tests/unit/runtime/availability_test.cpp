#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {
namespace {

// True on any machine: what is absent says why, in words, and does not crash.
TEST(Availability, CudaSaysWhatIsThereOrWhyNot) {
  const auto cuda = cuda_availability();
  EXPECT_EQ(cuda.available, cuda.devices > 0);
  EXPECT_FALSE(cuda.reason.empty());
  if (!cuda.available) {
    EXPECT_THROW(make_cuda_executor(2, 0), RuntimeError);
  }
}

TEST(Availability, NcclSaysWhatIsThereOrWhyNot) {
  const auto nccl = nccl_availability();
  EXPECT_EQ(nccl.available, nccl.devices > 0);
  EXPECT_FALSE(nccl.reason.empty());
  if (!nccl.available) {
    EXPECT_THROW(make_nccl_executor(Communicator::null()), Error);
  }
}

}  // namespace
}  // namespace fabricast
