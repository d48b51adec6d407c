// A GPU in software that executes PTX: so that what nvcc makes of the kernels runs, and is checked,
// where there is no GPU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/ptx_device/module.hpp"

namespace fabricast::ptx {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

struct Grid {
  Dim3 blocks, threads;
  std::size_t dynamic_shared_bytes = 0;
  const std::byte* arguments = nullptr;  // Kernel::parameter_bytes
};

// Runs the grid to its end on the calling thread, its CTAs interleaved. Several grids may run at
// the same time on several threads (streams), and in several processes on shared memory. Throws
// std::runtime_error where a device would fault: an access beyond address_space(), a misaligned
// one, a race in shared memory, votes or barriers that cannot complete.
void run(const Kernel& kernel, const Grid& grid);

}  // namespace fabricast::ptx
