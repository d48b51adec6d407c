// The kernel of the multimem all-reduce (kernels/lane/multimem.hpp): every CTA of one cooperative
// launch, on this GPU. Compute capability 9.0 or later.
//
// PTX: multimem.ld_reduce and .st, relaxed at system scope; an arrival is multimem.red.release.sys,
// a look at the own counter an acquire load. The counter is reached by two addresses, the multicast
// object's and the own memory's, so fence.proxy.alias lies between them (CUDA Programming Guide,
// multicast objects). Data are written and read by the own address outside of the kernel only.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "kernels/lane/multimem.hpp"

namespace fabricast::cuda {

inline constexpr int threads_per_multimem_cta = 512;

struct MultimemLaunch {
  std::byte* multicast = nullptr;  // where a switch reaches the memory of all members
  std::byte* own = nullptr;        // the same memory of this GPU
  lane::MultimemWork work;
  lane::RunControl control;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  cudaStream_t stream = nullptr;
};

// Everything the kernel reads is device memory; the pair must be one that the switch reduces.
// Throws RuntimeError if it does not start.
void launch_multimem(const MultimemLaunch& what);

// CTAs that can be resident on a multiprocessor of the current device, whatever the type. Throws
// RuntimeError if there is no code for it.
int resident_multimem_ctas_per_sm();

}  // namespace fabricast::cuda
