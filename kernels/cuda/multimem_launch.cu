#include "kernels/cuda/multimem_launch.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <limits>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/lane/group.hpp"

namespace fabricast::cuda {
namespace {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900

struct NoPause {
  __device__ bool operator()() const { return false; }  // never yields
  __device__ void reset() const {}
};

#define FABRICAST_LOAD_REDUCE_4(form)                                                \
  asm volatile("multimem.ld_reduce.relaxed.sys.global." form " {%0,%1,%2,%3}, [%4];" \
               : "=r"(v.word[0]), "=r"(v.word[1]), "=r"(v.word[2]), "=r"(v.word[3])  \
               : "l"(from)                                                           \
               : "memory")
#define FABRICAST_LOAD_REDUCE_1(form)                                     \
  asm volatile("multimem.ld_reduce.relaxed.sys.global." form " %0, [%1];" \
               : "=r"(v.word[0])                                          \
               : "l"(from)                                                \
               : "memory")

template <class T, ReduceOp op>
__device__ lane::SwitchUnit<T> switch_load(std::size_t from) {
  lane::SwitchUnit<T> v;
  if constexpr (std::is_same_v<T, float>) {
    FABRICAST_LOAD_REDUCE_4("add.v4.f32");  // there is no min, no max
  } else if constexpr (std::is_same_v<T, Half>) {
    if constexpr (op == ReduceOp::sum) {
      FABRICAST_LOAD_REDUCE_4("add.acc::f32.v4.f16x2");
    } else if constexpr (op == ReduceOp::min) {
      FABRICAST_LOAD_REDUCE_4("min.v4.f16x2");
    } else {
      FABRICAST_LOAD_REDUCE_4("max.v4.f16x2");
    }
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    if constexpr (op == ReduceOp::sum) {
      FABRICAST_LOAD_REDUCE_4("add.acc::f32.v4.bf16x2");
    } else if constexpr (op == ReduceOp::min) {
      FABRICAST_LOAD_REDUCE_4("min.v4.bf16x2");
    } else {
      FABRICAST_LOAD_REDUCE_4("max.v4.bf16x2");
    }
  } else if constexpr (op == ReduceOp::sum) {
    FABRICAST_LOAD_REDUCE_1("add.s32");
  } else if constexpr (op == ReduceOp::min) {
    FABRICAST_LOAD_REDUCE_1("min.s32");
  } else {
    FABRICAST_LOAD_REDUCE_1("max.s32");
  }
  return v;
}

#undef FABRICAST_LOAD_REDUCE_4
#undef FABRICAST_LOAD_REDUCE_1

// See kernels/lane/multimem.hpp.
struct SwitchPort {
  std::byte* multicast;
  std::byte* own;

  __device__ std::size_t through_switch(std::int64_t offset) const {
    return __cvta_generic_to_global(multicast + offset);
  }
  template <class T, ReduceOp op>
  __device__ lane::SwitchUnit<T> load_reduce(std::int64_t offset) const {
    return switch_load<T, op>(through_switch(offset));
  }
  template <class T>
  __device__ void store(std::int64_t offset, const lane::SwitchUnit<T>& v) const {
    if constexpr (lane::SwitchUnit<T>::words == 4) {  // bits, whatever they are
      asm volatile("multimem.st.relaxed.sys.global.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(
                       through_switch(offset)),
                   "r"(v.word[0]), "r"(v.word[1]), "r"(v.word[2]), "r"(v.word[3])
                   : "memory");
    } else {
      asm volatile("multimem.st.relaxed.sys.global.s32 [%0], %1;" ::"l"(through_switch(offset)),
                   "r"(v.word[0])
                   : "memory");
    }
  }
  __device__ void arrive(std::int32_t cta) const {
    asm volatile("multimem.red.release.sys.global.add.u64 [%0], %1;" ::"l"(
                     through_switch(cta * static_cast<std::int64_t>(lane::line_bytes))),
                 "l"(std::uint64_t{1})
                 : "memory");
    asm volatile("fence.proxy.alias;" ::: "memory");
  }
  __device__ std::uint64_t arrivals(std::int32_t cta) const {
    return lane::load_acquire_across(
        *reinterpret_cast<std::uint64_t*>(own + cta * static_cast<std::int64_t>(lane::line_bytes)));
  }
};

#endif

template <class T, ReduceOp op>
__global__ void __launch_bounds__(threads_per_multimem_cta)
    multimem_kernel(std::byte* multicast, std::byte* own, lane::MultimemWork work,
                    lane::RunControl control) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  NoPause pause;
  lane::multimem_all_reduce<T, op>(work, static_cast<std::int32_t>(blockIdx.x),
                                   SwitchPort{multicast, own}, control, lane::ThreadBlock{}, pause);
#endif
}

template <class T, ReduceOp op>
const void* address_of() {
  return reinterpret_cast<const void*>(multimem_kernel<T, op>);
}

// visit_op() is for device code as well, and must not name a kernel.
template <class T>
const void* kernel_of(ReduceOp op) {
  if (op == ReduceOp::sum) return address_of<T, ReduceOp::sum>();
  return op == ReduceOp::min ? address_of<T, ReduceOp::min>() : address_of<T, ReduceOp::max>();
}

const void* kernel_of(DataType type, ReduceOp op) {
  switch (type) {
    case DataType::float32:
      return address_of<float, ReduceOp::sum>();
    case DataType::float16:
      return kernel_of<Half>(op);
    case DataType::bfloat16:
      return kernel_of<BFloat16>(op);
    case DataType::int32:
      return kernel_of<std::int32_t>(op);
  }
  return nullptr;
}

}  // namespace

void launch_multimem(const MultimemLaunch& what) {
  MultimemLaunch launch = what;
  void* arguments[] = {&launch.multicast, &launch.own, &launch.work, &launch.control};
  check(cudaLaunchCooperativeKernel(kernel_of(what.type, what.op),
                                    dim3(static_cast<unsigned>(what.work.ctas)),
                                    dim3(threads_per_multimem_cta), arguments, 0, launch.stream),
        "launching the multimem all-reduce");
}

int resident_multimem_ctas_per_sm() {
  int least = std::numeric_limits<int>::max();
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      if (!lane::switch_reduces(type, op)) continue;
      cudaFuncAttributes code{};
      check(cudaFuncGetAttributes(&code, kernel_of(type, op)), "looking for multimem code");
      if (code.ptxVersion < 90) {  // there the kernel is empty
        throw RuntimeError(
            "this build has no multimem code for the GPU (it was compiled for older ones) add 90 "
            "or newer to FABRICAST_CUDA_ARCHITECTURES");
      }
      int blocks = 0;
      check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel_of(type, op),
                                                          threads_per_multimem_cta, 0),
            "asking for the occupancy of the multimem all-reduce (no code for this GPU?)");
      least = std::min(least, blocks);
    }
  }
  return least;
}

}  // namespace fabricast::cuda
