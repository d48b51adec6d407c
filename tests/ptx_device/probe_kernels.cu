#include "tests/ptx_device/probe_kernels.hpp"

#include <cuda_runtime.h>

namespace fabricast::ptx {
namespace {

__global__ void __launch_bounds__(64) add_kernel(std::uint32_t* words, Addend addend) {
  words[blockIdx.x * blockDim.x + threadIdx.x] += addend.value;
}

__global__ void twice_kernel(std::uint32_t* word, std::uint32_t addend) {
  *word = 2 * *word + addend;
}

__global__ void hold_kernel(const volatile std::uint32_t* open, std::uint32_t* seen) {
  while (*open == 0) {
  }
  *seen = *open;
}

}  // namespace

void launch_add(std::uint32_t* words, int ctas, int threads, Addend addend, cudaStream_t stream) {
  add_kernel<<<static_cast<unsigned>(ctas), static_cast<unsigned>(threads), 0, stream>>>(words,
                                                                                         addend);
}
void launch_twice(std::uint32_t* word, std::uint32_t addend, cudaStream_t stream) {
  twice_kernel<<<1, 1, 0, stream>>>(word, addend);
}
void launch_hold(const std::uint32_t* open, std::uint32_t* seen, cudaStream_t stream) {
  hold_kernel<<<1, 1, 0, stream>>>(open, seen);
}
cudaError_t launch_add_together(std::uint32_t* words, int ctas, int threads, Addend addend) {
  void* arguments[] = {&words, &addend};
  return cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(add_kernel),
                                     dim3(static_cast<unsigned>(ctas)),
                                     dim3(static_cast<unsigned>(threads)), arguments, 0, nullptr);
}
const void* add_function() { return reinterpret_cast<const void*>(add_kernel); }

}  // namespace fabricast::ptx
