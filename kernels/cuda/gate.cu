// The kernel that holds a stream (kernels/cuda/gated_stream.hpp).
#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/gated_stream.hpp"
#include "kernels/lane/atomics.hpp"

namespace fabricast::cuda {
namespace {

__global__ void gate_kernel(volatile std::uint32_t* gate, std::uint64_t limit_ns) {
  const std::uint64_t start = lane::clock_ns();
  while (gate[0] == 0) {
    if (lane::clock_ns() - start < limit_ns) continue;
    gate[1] = 1;
    return;
  }
}

}  // namespace

void launch_gate(std::uint32_t* device_gate, std::uint64_t limit_ns, cudaStream_t stream) {
  gate_kernel<<<1, 1, 0, stream>>>(device_gate, limit_ns);
  check(cudaGetLastError(), "launching the gate");
}

}  // namespace fabricast::cuda
