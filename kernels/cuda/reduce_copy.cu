#include "kernels/cuda/reduce_copy.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/reference/reduce.hpp"

namespace fabricast::cuda {
namespace {

constexpr int threads_per_cta = 512;  // as a lane of the interpreter has

template <lane::Rung rung, class T, ReduceOp op, bool reduces>
__global__ void __launch_bounds__(threads_per_cta)
    reduce_copy_kernel(std::int64_t count, const T* a, const T* b, T* d) {
  const auto me = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  lane::reduce_copy<rung, T, op, reduces>(count, a, b, d,
                                          {me, static_cast<std::int64_t>(gridDim.x) * blockDim.x});
}

struct Launch {
  const ReduceCopyCase& wanted;
  const std::byte* a;
  const std::byte* b;
  std::byte* d;

  template <lane::Rung rung, class T, ReduceOp op, bool reduces>
  void start() const {
    reduce_copy_kernel<rung, T, op, reduces>
        <<<wanted.ctas, threads_per_cta>>>(wanted.elements, reinterpret_cast<const T*>(a),
                                           reinterpret_cast<const T*>(b), reinterpret_cast<T*>(d));
  }
  template <class T, ReduceOp op>
  void reduce() const {
    if (wanted.rung == lane::Rung::naive) {
      start<lane::Rung::naive, T, op, true>();
    } else if (wanted.rung == lane::Rung::vectors) {
      start<lane::Rung::vectors, T, op, true>();
    } else {
      start<lane::Rung::unrolled, T, op, true>();
    }
  }
  // visit_type_and_op() is for device code as well, and must not call a kernel's launch.
  template <class T>
  void reduce_by_op() const {
    if (wanted.op == ReduceOp::sum) {
      reduce<T, ReduceOp::sum>();
    } else if (wanted.op == ReduceOp::min) {
      reduce<T, ReduceOp::min>();
    } else {
      reduce<T, ReduceOp::max>();
    }
  }
  void reduce_by_type() const {
    if (wanted.type == DataType::float32) {
      reduce_by_op<float>();
    } else if (wanted.type == DataType::float16) {
      reduce_by_op<Half>();
    } else if (wanted.type == DataType::bfloat16) {
      reduce_by_op<BFloat16>();
    } else {
      reduce_by_op<std::int32_t>();
    }
  }
  // A copy knows only the size of an element.
  template <class T>
  void copy() const {
    if (wanted.rung == lane::Rung::naive) {
      start<lane::Rung::naive, T, ReduceOp::sum, false>();
    } else if (wanted.rung == lane::Rung::vectors) {
      start<lane::Rung::vectors, T, ReduceOp::sum, false>();
    } else {
      start<lane::Rung::unrolled, T, ReduceOp::sum, false>();
    }
  }
  void run() const {
    if (wanted.reduces) {
      reduce_by_type();
    } else if (size_of(wanted.type) == 2) {
      copy<Half>();
    } else {
      copy<std::int32_t>();
    }
    check(cudaGetLastError(), "launching reduce-copy");
  }
};

struct Events {
  cudaEvent_t start = nullptr;
  cudaEvent_t stop = nullptr;
  Events() {
    check(cudaEventCreate(&start), "creating an event");
    check(cudaEventCreate(&stop), "creating an event");
  }
  ~Events() {
    if (start != nullptr) cudaEventDestroy(start);
    if (stop != nullptr) cudaEventDestroy(stop);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
};

// Small integers: every sum is exact in every type.
std::vector<std::byte> integers(const ReduceCopyCase& wanted, std::int32_t modulus) {
  const auto unit = static_cast<std::size_t>(size_of(wanted.type));
  std::vector<std::byte> values(static_cast<std::size_t>(wanted.elements) * unit);
  for (std::size_t i = 0; i * unit < values.size(); ++i) {
    const auto value = static_cast<std::int32_t>(i % static_cast<std::size_t>(modulus));
    reference::store_integer(wanted.type, value - modulus / 2, values.data() + i * unit);
  }
  return values;
}

}  // namespace

ReduceCopyTime time_reduce_copy(int device, const ReduceCopyCase& wanted, int repetitions) {
  if (wanted.elements <= 0 || wanted.ctas <= 0) {
    throw UsageError("reduce-copy needs elements and CTAs (nothing would be timed) ask for some");
  }
  check(cudaSetDevice(device), "selecting GPU " + std::to_string(device));
  const auto first = integers(wanted, 101), second = integers(wanted, 89);
  const DeviceArray<std::byte> a(first, "the first source"), b(second, "the second source"),
      d(first.size(), "the result");
  d.zero("the result");
  const Launch launch{wanted, a.data(), b.data(), d.data()};
  launch.run();
  std::vector<std::byte> got(first.size()), expected(first);
  check(cudaMemcpy(got.data(), d.data(), got.size(), cudaMemcpyDeviceToHost), "reading the result");
  if (wanted.reduces) reference::reduce(wanted.type, wanted.op, first, second, expected);
  ReduceCopyTime result;
  result.wrong = reference::count_mismatches(got, expected, size_of(wanted.type));
  const Events events;
  for (int n = 0; n < repetitions && result.wrong == 0; ++n) {
    check(cudaEventRecord(events.start), "recording an event");
    launch.run();
    check(cudaEventRecord(events.stop), "recording an event");
    check(cudaEventSynchronize(events.stop), "running reduce-copy");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, events.start, events.stop), "reading the events");
    const double seconds = static_cast<double>(milliseconds) * 1e-3;
    result.best_seconds = n == 0 ? seconds : std::min(result.best_seconds, seconds);
  }
  return result;
}

}  // namespace fabricast::cuda
