#include "kernels/cuda/lane_launch.cuh"

namespace fabricast::cuda {

template void launch_lanes(const lane::FifoPort&, HandOff, bool, const LaneLaunch&);
template int resident_lanes_per_sm<lane::FifoPort>();

cudaError_t find_lane_code() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, kernel_of(lane::FifoPort{}));
}

}  // namespace fabricast::cuda
