// The threads that execute one lane together: a CTA on the device, one thread on the host.
//
// A group has index(), size(), sync() (barrier with memory ordering inside the group), leader() and
// share(decide): the leader evaluates `decide`, everybody gets the value. The interpreter calls
// sync() between two share() calls, so one shared word suffices. Tests have a third kind, several
// host threads with a barrier, to let ThreadSanitizer see the CTA's synchronization.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"

namespace fabricast::lane {

struct SingleThread {
  FABRICAST_HOST_DEVICE static constexpr std::int32_t index() { return 0; }
  FABRICAST_HOST_DEVICE static constexpr std::int32_t size() { return 1; }
  FABRICAST_HOST_DEVICE static constexpr bool leader() { return true; }
  FABRICAST_HOST_DEVICE static void sync() {}
  template <class Decide>
  FABRICAST_HOST_DEVICE static std::int32_t share(const Decide& decide) {
    return decide();
  }
};

#if defined(__CUDACC__)
struct ThreadBlock {
  __device__ static std::int32_t index() { return static_cast<std::int32_t>(threadIdx.x); }
  __device__ static std::int32_t size() { return static_cast<std::int32_t>(blockDim.x); }
  __device__ static bool leader() { return threadIdx.x == 0; }
  __device__ static void sync() { __syncthreads(); }
  template <class Decide>
  __device__ static std::int32_t share(const Decide& decide) {
    __shared__ std::int32_t value;
    if (leader()) value = decide();
    __syncthreads();
    return value;
  }
};
#endif

}  // namespace fabricast::lane
