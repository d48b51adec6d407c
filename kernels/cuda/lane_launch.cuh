// What lane_launch.hpp declares, for the translation units that instantiate it.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/lane_launch.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/lane/interpreter.hpp"
#include "kernels/lane/line_port.hpp"

namespace fabricast::cuda {
namespace {

struct NoPause {
  __device__ bool operator()() const { return false; }  // never yields
  __device__ void reset() const {}
};

template <class Port>
__global__ void __launch_bounds__(threads_per_lane)
    run_lanes_kernel(const lane::LaneView* lanes, lane::LaneCursor* cursors, Port port,
                     lane::RunData data, lane::RunControl control) {
  const auto l = static_cast<std::int32_t>(blockIdx.x);
  const lane::ThreadBlock block;
  NoPause pause;
  if (block.leader()) cursors[l] = lanes[l].start();
  lane::run_lanes(lanes + l, cursors + l, 1, l, port, data, control, block, pause);
}

template <class Port>
const void* kernel_of(const Port&) {
  return reinterpret_cast<const void*>(run_lanes_kernel<Port>);
}

}  // namespace

template <class Fifos>
void launch_lanes(const Fifos& fifos, HandOff hand_off, bool orders_lanes, const LaneLaunch& what) {
  LaneLaunch launch = what;
  lane::with_port(hand_off, fifos, orders_lanes, [&](auto port) {
    void* arguments[] = {&launch.lanes, &launch.cursors, &port, &launch.data, &launch.control};
    check(cudaLaunchCooperativeKernel(kernel_of(port), dim3(static_cast<unsigned>(launch.count)),
                                      dim3(threads_per_lane), arguments, 0, launch.stream),
          "launching the interpreter");
  });
}

template <class Fifos>
int resident_lanes_per_sm() {
  int least = std::numeric_limits<int>::max();
  for (const HandOff hand_off : hand_offs) {  // the least of all, so that a plan runs with any
    lane::with_port(hand_off, Fifos{}, false, [&](const auto& port) {
      int blocks = 0;
      check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel_of(port),
                                                          threads_per_lane, 0),
            "asking for the occupancy of the interpreter (no code for this GPU?)");
      least = std::min(least, blocks);
    });
  }
  return least;
}

}  // namespace fabricast::cuda
