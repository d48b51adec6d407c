// destination = sum of 1, 2 or 3 sources of float32: the loop of NCCL's reduce-copy in shape.
//
// 16-byte vectors, four in flight per thread, CTAs side by side (each a contiguous part, as a channel
// has), past L1 as NCCL's volatile loads: what a peer has written is never there. With `until` it goes on over and over until the host says so: load beside a GEMM.
#pragma once

#include <cstdint>

#include "bench/suites/session.cuh"

namespace fabricast::micro {

inline constexpr int most_sources = 3;
inline constexpr int vectors_in_flight = 4;

struct ReduceCopyData {
  const float4* source[most_sources];
  float4* destination;
  std::int64_t vectors;
};

template <int sources>
__device__ inline float4 sum_at(const ReduceCopyData& data, std::int64_t i) {
  float4 value = __ldcg(data.source[0] + i);
  for (int s = 1; s < sources; ++s) {
    const float4 more = __ldcg(data.source[s] + i);
    value.x += more.x;
    value.y += more.y;
    value.z += more.z;
    value.w += more.w;
  }
  return value;
}

template <int sources>
__device__ inline void reduce_copy_part(const ReduceCopyData& data) {
  const std::int64_t share = (data.vectors + gridDim.x - 1) / gridDim.x;
  const std::int64_t first = share * blockIdx.x;
  const std::int64_t last = first + share < data.vectors ? first + share : data.vectors;
  const std::int64_t stride = blockDim.x;
  std::int64_t i = first + threadIdx.x;
  for (; i + (vectors_in_flight - 1) * stride < last; i += vectors_in_flight * stride) {
    float4 value[vectors_in_flight];
#pragma unroll
    for (int u = 0; u < vectors_in_flight; ++u) value[u] = sum_at<sources>(data, i + u * stride);
#pragma unroll
    for (int u = 0; u < vectors_in_flight; ++u) data.destination[i + u * stride] = value[u];
  }
  for (; i < last; i += stride) data.destination[i] = sum_at<sources>(data, i);
}

template <int sources>
static __global__ void __launch_bounds__(threads_per_cta)
    reduce_copy_kernel(ReduceCopyData data, std::int64_t passes) {
  for (std::int64_t pass = 0; pass < passes; ++pass) reduce_copy_part<sources>(data);
}

static __global__ void __launch_bounds__(threads_per_cta)
    copy_until_kernel(ReduceCopyData data, const volatile std::uint32_t* stop) {
  const std::uint64_t start = lane::clock_ns();
  __shared__ bool done;
  for (;;) {
    reduce_copy_part<1>(data);
    if (threadIdx.x == 0) done = *stop != 0 || lane::clock_ns() - start > 2 * cuda::gate_limit_ns;
    __syncthreads();
    if (done) return;
    __syncthreads();
  }
}

}  // namespace fabricast::micro
