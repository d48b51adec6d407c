// Streams, events and the gate that the micro-benchmarks share.
//
// timed(): the gate kernel holds the stream until the host has queued everything, then opens; the
// host's queueing is not between the events. A gate opens by itself after a second.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "bench/suites/cuda_kernels.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/lane/atomics.hpp"

namespace fabricast::micro {

using cuda::check;
using cuda::DeviceArray;

inline constexpr int threads_per_cta = 512;  // as the interpreter's lanes
inline constexpr std::uint64_t gate_limit_ns = 1'000'000'000;

namespace detail {
static __global__ void hold_gate(const volatile std::uint32_t* open) {
  const std::uint64_t start = lane::clock_ns();
  while (*open == 0 && lane::clock_ns() - start < gate_limit_ns) {
  }
}
}  // namespace detail

class Session {
 public:
  Session() {
    check(cudaSetDevice(0), "selecting the GPU");
    check(cudaGetDeviceProperties(&properties, 0), "reading the GPU");
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    check(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), "creating a stream");
    check(cudaEventCreate(&start), "creating an event");
    check(cudaEventCreate(&stop), "creating an event");
    check(cudaHostAlloc(&gate, sizeof *gate, cudaHostAllocMapped), "allocating the gate");
  }
  ~Session() {
    if (gate != nullptr) cudaFreeHost(gate);
    if (start != nullptr) cudaEventDestroy(start);
    if (stop != nullptr) cudaEventDestroy(stop);
    if (stream != nullptr) cudaStreamDestroy(stream);
    if (other != nullptr) cudaStreamDestroy(other);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // us between events around what `queue` puts into `stream`.
  template <class Queue>
  double timed(const std::string& what, const Queue& queue) {
    // Streams that do not block do not wait for what was put into the default one.
    check(cudaStreamSynchronize(cudaStreamLegacy), "waiting for preparations");
    volatile std::uint32_t* open = gate;
    *open = 0;
    std::uint32_t* device_gate = nullptr;
    check(cudaHostGetDevicePointer(&device_gate, gate, 0), "mapping the gate");
    detail::hold_gate<<<1, 1, 0, stream>>>(device_gate);
    check(cudaGetLastError(), "launching the gate");
    check(cudaEventRecord(start, stream), "recording an event");
    try {
      queue();
      check(cudaEventRecord(stop, stream), "recording an event");
    } catch (...) {
      *open = 1;
      throw;
    }
    *open = 1;
    check(cudaStreamSynchronize(stream), what);
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start, stop), "reading the events");
    return static_cast<double>(milliseconds) * 1e3;
  }

  // A cooperative launch of `ctas` CTAs with these arguments.
  template <class... Parameters, class... Arguments>
  void launch(void (*kernel)(Parameters...), std::int32_t ctas, Arguments... arguments) {
    std::tuple<Parameters...> values(static_cast<Parameters>(arguments)...);
    std::apply(
        [&](auto&... each) {
          void* pointers[] = {static_cast<void*>(&each)..., nullptr};
          check(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(kernel),
                                            dim3(static_cast<unsigned>(ctas)),
                                            dim3(threads_per_cta), pointers, 0, stream),
                "launching a micro-benchmark");
        },
        values);
  }

  cudaDeviceProp properties{};
  cudaStream_t stream = nullptr, other = nullptr;
  cudaEvent_t start = nullptr, stop = nullptr;
  std::uint32_t* gate = nullptr;  // mapped host memory
};

}  // namespace fabricast::micro
