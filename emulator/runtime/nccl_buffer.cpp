#include "emulator/runtime/nccl_buffer.hpp"

#include <cuda_runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "emulator/runtime/nccl_communicators.hpp"
#include "emulator/runtime/nccl_library.hpp"

namespace fabricast {
namespace {
constexpr std::int64_t window_alignment = 4096;  // NCCL_WIN_REQUIRED_ALIGNMENT
}

NcclBuffer::NcclBuffer(int device, std::int64_t bytes, bool symmetric)
    : device_(device),
      symmetric_(symmetric),
      bytes_(static_cast<std::size_t>((std::max<std::int64_t>(1, bytes) + window_alignment - 1) /
                                      window_alignment * window_alignment)) {
  check_cuda(cudaSetDevice(device), "selecting a GPU");
  const auto what = fmt::format("allocating {} bytes of GPU memory", bytes_);
  if (symmetric) {
    check_nccl(nccl_library().mem_alloc(&data_, bytes_), what);
  } else {
    check_cuda(cudaMalloc(&data_, bytes_), what);
  }
}

NcclBuffer::NcclBuffer(NcclBuffer&& other) noexcept
    : device_(other.device_),
      symmetric_(other.symmetric_),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(other.bytes_) {}

NcclBuffer::~NcclBuffer() {
  if (data_ == nullptr) return;
  cudaSetDevice(device_);
  if (symmetric_) {
    nccl_library().mem_free(data_);
  } else {
    cudaFree(data_);
  }
}

}  // namespace fabricast
