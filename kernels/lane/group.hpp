// The threads that execute one lane together: a CTA on the device, one thread on the host.
//
// A group has index(), size(), sync() (barrier with memory ordering inside the group), leader() and
// share(decide): the leader evaluates `decide`, everybody gets the value. The interpreter calls
// sync() between two share() calls, so one shared word suffices. Tests have a third kind, several
// host threads with a barrier, to let ThreadSanitizer see the CTA's synchronization.
//
// A group consists of teams of team_size neighbouring threads, which move the lines of LL128
// together (a warp; on the host a thread by itself): team_all(b) and team_any(b) are votes that all
// of a team take part in.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"

namespace fabricast::lane {

// A team of one thread.
struct Alone {
  static constexpr int team_size = 1;
  FABRICAST_HOST_DEVICE static constexpr bool team_all(bool mine) { return mine; }
  FABRICAST_HOST_DEVICE static constexpr bool team_any(bool mine) { return mine; }
};

struct SingleThread : Alone {
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
struct ThreadBlock {  // of whole warps
  static constexpr int team_size = 32;
  __device__ static bool team_all(bool mine) { return __all_sync(0xFFFFFFFFu, mine) != 0; }
  __device__ static bool team_any(bool mine) { return __any_sync(0xFFFFFFFFu, mine) != 0; }
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
