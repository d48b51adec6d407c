// The interpreter's kernel: one CTA per lane in one cooperative launch. For FIFOs in the memory of
// the device that runs it (lane::FifoPort) and for those between devices (lane::PeerPort), each
// with the three hand-offs. A translation unit per kind of FIFO.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/hand_off.hpp"
#include "kernels/lane/fifo.hpp"
#include "kernels/lane/peer_port.hpp"
#include "kernels/lane/program.hpp"
#include "kernels/lane/stall.hpp"

namespace fabricast::cuda {

// As NCCL's Simple and LL have at most (its LL128 has 640); whole warps, as LL128's lines need.
inline constexpr int threads_per_lane = 512;

struct LaneLaunch {
  const lane::LaneView* lanes = nullptr;
  lane::LaneCursor* cursors = nullptr;
  std::int32_t count = 0;
  lane::RunData data;
  lane::RunControl control;
  cudaStream_t stream = nullptr;
};

// Everything the kernel reads is device memory. Throws RuntimeError if it does not start.
template <class Fifos>
void launch_lanes(const Fifos& fifos, HandOff hand_off, bool orders_lanes, const LaneLaunch& what);

// CTAs that can be resident on a multiprocessor of the current device with any hand-off. Throws
// RuntimeError if there is no code for it.
template <class Fifos>
int resident_lanes_per_sm();

// Is there code for the current device?
cudaError_t find_lane_code();

extern template void launch_lanes(const lane::FifoPort&, HandOff, bool, const LaneLaunch&);
extern template void launch_lanes(const lane::PeerPort&, HandOff, bool, const LaneLaunch&);
extern template int resident_lanes_per_sm<lane::FifoPort>();
extern template int resident_lanes_per_sm<lane::PeerPort>();

}  // namespace fabricast::cuda
