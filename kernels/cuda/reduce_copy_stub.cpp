// Built without nvcc: the same symbol, no devices.
#include "emulator/base/error.hpp"
#include "kernels/cuda/reduce_copy.hpp"

namespace fabricast::cuda {

ReduceCopyTime time_reduce_copy(int, const ReduceCopyCase&, int) {
  throw RuntimeError(
      "the CUDA kernels are not built (no nvcc at configure time) configure with "
      "FABRICAST_ENABLE_CUDA=ON where a CUDA toolkit is installed");
}

}  // namespace fabricast::cuda
