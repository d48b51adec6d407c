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
    // Once while it is open: CUDA loads a kernel when it is first launched, and may wait for the
    // device then, which may be held by another gate later on.
    open();
    launch_gate();
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

void GatedStream::launch_gate() {
  std::uint32_t* device_gate = nullptr;
  check(cudaHostGetDevicePointer(reinterpret_cast<void**>(&device_gate), gate_, 0),
        "mapping the gate");
  cuda::launch_gate(device_gate, gate_limit_ns, stream_);
}

void GatedStream::hold() {
  volatile std::uint32_t* gate = gate_;
  gate[0] = 0;
  gate[1] = 0;
  launch_gate();
  check(cudaEventRecord(start_, stream_), "recording an event");
}

void GatedStream::stop() { check(cudaEventRecord(stop_, stream_), "recording an event"); }

void GatedStream::open() noexcept { *static_cast<volatile std::uint32_t*>(gate_) = 1; }

cudaError_t GatedStream::state() const {
  const cudaError_t state = cudaEventQuery(stop_);
  if (state == cudaErrorNotReady) cudaGetLastError();
  return state;
}

double GatedStream::seconds() const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start_, stop_), "reading the events");
  return static_cast<double>(milliseconds) * 1e-3;
}

void GatedStream::expect_opened() const {
  if (const volatile std::uint32_t* gate = gate_; gate[1] == 0) return;
  throw RuntimeError(
      "a GPU started before its host said so (the host, or a process that it waited for, was held "
      "up for more than 10 s) measure on a quiet machine");
}

double GatedStream::run(const char* what, const std::function<void()>& queue,
                        const std::function<void()>& before_start) {
  try {
    hold();
    queue();
    stop();
    if (before_start) before_start();
  } catch (...) {
    open();
    throw;
  }
  open();
  check(cudaEventSynchronize(stop_), what);
  return seconds();
}

}  // namespace fabricast::cuda
