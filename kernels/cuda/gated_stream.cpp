#include "kernels/cuda/gated_stream.hpp"

#include <cuda_runtime.h>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"

namespace fabricast::cuda {

GatedStream::GatedStream() {
  try {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
    check(cudaEventCreate(&start_), "creating an event");
    check(cudaEventCreate(&stop_), "creating an event");
    check(cudaHostAlloc(reinterpret_cast<void**>(&gate_), 2 * sizeof *gate_, cudaHostAllocMapped),
          "allocating the gate");
  } catch (const RuntimeError&) {
    release();
    throw;
  }
}

GatedStream::~GatedStream() { release(); }

void GatedStream::release() {
  if (gate_ != nullptr) cudaFreeHost(gate_);
  if (start_ != nullptr) cudaEventDestroy(start_);
  if (stop_ != nullptr) cudaEventDestroy(stop_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

double GatedStream::run(std::uint64_t limit_ns, const std::function<void(cudaStream_t)>& queue,
                        const std::function<void()>& before_start) {
  volatile std::uint32_t* gate = gate_;
  std::uint32_t* device_gate = nullptr;
  check(cudaHostGetDevicePointer(reinterpret_cast<void**>(&device_gate), gate_, 0),
        "mapping the gate");
  gate[0] = 0;
  gate[1] = 0;
  launch_gate(device_gate, limit_ns, stream_);
  check(cudaEventRecord(start_, stream_), "recording an event");
  queue(stream_);
  check(cudaEventRecord(stop_, stream_), "recording an event");
  if (before_start) before_start();
  gate[0] = 1;
  check(cudaEventSynchronize(stop_), "running the collective on the GPU");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start_, stop_), "reading the events");
  return static_cast<double>(milliseconds) * 1e-3;
}

void GatedStream::expect_opened() const {
  if (const volatile std::uint32_t* gate = gate_; gate[1] == 0) return;
  throw RuntimeError(
      "the GPUs did not start together (a process came more than 10 s late) measure on a quiet "
      "machine");
}

}  // namespace fabricast::cuda
