// Streams and events that the micro-benchmarks share.
//
// timed(): a gate (kernels/cuda/gated_stream.hpp) holds the stream until the host has queued
// everything, so the host's queueing is not between the events. Kernels are loaded before: CUDA
// loads one when it is first needed, and may wait for the device then, which waits for the gate.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "bench/suites/cuda_kernels.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/gated_stream.hpp"
#include "kernels/lane/atomics.hpp"

namespace fabricast::micro {

using cuda::check;
using cuda::DeviceArray;

inline constexpr int threads_per_cta = 512;  // as the interpreter's lanes

class Session {
 public:
  Session() {
    check(cudaSetDevice(0), "selecting the GPU");
    check(cudaGetDeviceProperties(&properties, 0), "reading the GPU");
    gated_.emplace();
    stream = gated_->handle();
    check(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), "creating a stream");
  }
  ~Session() {
    if (other != nullptr) cudaStreamDestroy(other);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // us between events around what `queue` puts into `stream`, whose kernels are loaded. Throws
  // RuntimeError if the stream did not wait for the host.
  template <class Queue>
  double timed(const std::string& what, const Queue& queue) {
    // Streams that do not block do not wait for what was put into the default one.
    check(cudaStreamSynchronize(cudaStreamLegacy), "waiting for preparations");
    const double seconds = gated_->run(what.c_str(), queue);
    gated_->expect_opened();
    return seconds * 1e6;
  }

  // The same of a cooperative launch of `ctas` CTAs with these arguments.
  template <class... Parameters, class... Arguments>
  double timed_launch(const std::string& what, void (*kernel)(Parameters...), std::int32_t ctas,
                      Arguments... arguments) {
    load(kernel);
    std::tuple<Parameters...> values(static_cast<Parameters>(arguments)...);
    return timed(what, [&] {
      std::apply(
          [&](auto&... each) {
            void* pointers[] = {static_cast<void*>(&each)..., nullptr};
            check(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(kernel),
                                              dim3(static_cast<unsigned>(ctas)),
                                              dim3(threads_per_cta), pointers, 0, stream),
                  "launching a micro-benchmark");
          },
          values);
    });
  }

  template <class... Parameters>
  void load(void (*kernel)(Parameters...)) {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)),
          "loading a micro-benchmark");
  }

  cudaDeviceProp properties{};
  cudaStream_t stream = nullptr, other = nullptr;  // the one that is timed, one beside it

 private:
  std::optional<cuda::GatedStream> gated_;
};

}  // namespace fabricast::micro
