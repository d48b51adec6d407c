// The CUDA runtime calls of the NCCL executor, on host memory: linked before libcudart, so that the
// executor's logic runs without a GPU. Streams are queues that are always empty, except that the
// fake NCCL may block one for ever; a capture collects what the fake NCCL would do.
#include <cuda_runtime_api.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/interpreter.hpp"

namespace {
using Work = std::function<void()>;
struct Stream {
  bool capturing = false;
  bool blocked = false;
  std::vector<Work> captured;
};
struct Event {
  Stream* stream = nullptr;
  double us = 0;
};
double now_us() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
Stream* as_stream(cudaStream_t stream) { return reinterpret_cast<Stream*>(stream); }
Event* as_event(cudaEvent_t event) { return reinterpret_cast<Event*>(event); }
int devices() {
  const char* text = std::getenv("FABRICAST_FAKE_GPUS");
  return text != nullptr ? std::atoi(text) : 0;
}
}  // namespace

// For the fake NCCL, which finds it with dlsym.
extern "C" void fake_cuda_queue(void* stream, void (*work)(void*), void* argument) {
  Stream* s = static_cast<Stream*>(stream);
  if (work == nullptr) {
    s->blocked = true;
  } else if (s->capturing) {
    s->captured.push_back([=] { work(argument); });
  } else {
    work(argument);
  }
}

extern "C" {
cudaError_t cudaGetDeviceCount(int* count) {
  *count = devices();
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) {
  return device < devices() ? cudaSuccess : cudaErrorInvalidDevice;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::strcpy(properties->name, "fake GPU");
  properties->multiProcessorCount = 4;
  return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) { return "an error of the fake CUDA"; }
const char* cudaGetErrorName(cudaError_t) { return "cudaErrorFake"; }
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  *data = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  std::memset(data, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = reinterpret_cast<cudaStream_t>(new Stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete as_stream(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  as_stream(stream)->capturing = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  Stream* s = as_stream(stream);
  s->capturing = false;
  *graph = reinterpret_cast<cudaGraph_t>(new std::vector<Work>(std::move(s->captured)));
  s->captured.clear();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = reinterpret_cast<cudaGraphExec_t>(
      new std::vector<Work>(*reinterpret_cast<std::vector<Work>*>(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<std::vector<Work>*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete reinterpret_cast<std::vector<Work>*>(exec);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  for (const Work& work : *reinterpret_cast<std::vector<Work>*>(exec)) work();
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete as_event(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  *as_event(event) = {as_stream(stream), now_us()};
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return as_event(event)->stream->blocked ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  *data = std::calloc(1, bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  *device = host;
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  *milliseconds = static_cast<float>((as_event(stop)->us - as_event(start)->us) * 1e-3);
  return cudaSuccess;
}
}

// Instead of kernels/cuda/interpreter.cu, which would pull the real runtime in.
namespace fabricast::cuda {
DeviceProbe probe_devices() {
  return {devices(),
          devices() > 0 ? "fake GPU" : "no CUDA device (FABRICAST_FAKE_GPUS is not set)"};
}
// FAKE_GPU_ADDRESS_BY_RANK: processes see other GPUs by the same number, as under Slurm.
std::vector<std::string> device_addresses() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  const bool by_rank = std::getenv("FAKE_GPU_ADDRESS_BY_RANK") != nullptr && rank != nullptr;
  std::vector<std::string> addresses;
  for (int d = 0; d < devices(); ++d) {
    addresses.push_back(std::to_string(d + (by_rank ? std::atoi(rank) : 0)));
  }
  return addresses;
}
}  // namespace fabricast::cuda
