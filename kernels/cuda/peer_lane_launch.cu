#include "kernels/cuda/lane_launch.cuh"

namespace fabricast::cuda {

template void launch_lanes(const lane::PeerPort&, HandOff, bool, const LaneLaunch&);
template int resident_lanes_per_sm<lane::PeerPort>();

}  // namespace fabricast::cuda
