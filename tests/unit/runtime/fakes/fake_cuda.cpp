// The CUDA runtime calls of the NCCL executor, on host memory: linked before libcudart, so that the
// executor's logic runs without a GPU. Streams are queues, whose work is done when somebody looks:
// at once, or, behind a gate, when the host asks for an event after it has opened the gate. The
// fake NCCL may block a stream for ever; a capture collects what the fake NCCL would do. With
// FAKE_GATE=late N gates of process N open by themselves.
#include "tests/unit/runtime/fakes/fake_cuda.hpp"

#include <cuda_runtime_api.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/gated_stream.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace {
using Work = std::function<void()>;
struct Item {
  std::function<bool()> may_start;  // empty: at once
  Work work;
};
thread_local cudaError_t last_error = cudaSuccess;
struct Stream {
  bool capturing = false;
  std::vector<Work> captured;
  std::deque<Item> queue;

  void put(Item item) {
    queue.push_back(std::move(item));
    go_on();
  }
  void go_on() {
    for (; !queue.empty(); queue.pop_front()) {
      const Item& next = queue.front();
      if (next.may_start && !next.may_start()) return;
      next.work();
    }
  }
};
struct Event {
  Stream* stream = nullptr;
  int pending = 0;
  bool asked = false;
  double us = 0;

  bool has_come() {
    if (stream != nullptr) stream->go_on();
    return pending == 0;
  }
};
std::vector<std::string> seen;
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
bool gates_are_late() {
  const char* how = std::getenv("FAKE_GATE");
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  return how != nullptr && std::string("late ") + (rank != nullptr ? rank : "0") == how;
}
}  // namespace

std::vector<std::string> fabricast::fakes::take_seen() { return std::exchange(seen, {}); }
void fabricast::fakes::put(cudaStream_t stream, std::function<void()> work) {
  as_stream(stream)->put({{}, std::move(work)});
}

// For the fake NCCL, which finds it with dlsym.
extern "C" void fake_cuda_queue(void* stream, void (*work)(void*), void* argument) {
  Stream* s = static_cast<Stream*>(stream);
  if (work == nullptr) {
    s->put({[] { return false; }, {}});
  } else if (s->capturing) {
    seen.push_back("captured");
    s->captured.push_back([=] { work(argument); });
  } else {
    seen.push_back(s->queue.empty() ? "operation" : "operation held");
    s->put({{}, [=] { work(argument); }});
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
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  Stream* s = as_stream(stream);
  for (const Work& work : *reinterpret_cast<std::vector<Work>*>(exec)) {
    seen.push_back(s->queue.empty() ? "graph" : "graph held");
    s->put({{}, work});
  }
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
  Event* e = as_event(event);
  e->stream = as_stream(stream);
  ++e->pending;
  e->asked = false;
  e->stream->put({{}, [e] {
                    e->us = now_us();
                    --e->pending;
                  }});
  return cudaSuccess;
}
// Not ready is remembered like an error, for whoever asks for the last one.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  Event* e = as_event(event);
  if (std::exchange(e->asked, true) && e->has_come()) return cudaSuccess;  // never at once
  return last_error = cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  while (!as_event(event)->has_come()) std::this_thread::yield();
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
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

// Instead of kernels/cuda/gate.cu and interpreter.cu, which would pull the real runtime in.
namespace fabricast::cuda {
void launch_gate(std::uint32_t* words, std::uint64_t limit_ns, cudaStream_t stream) {
  volatile std::uint32_t* gate = words;
  if (gate[0] != 0) return;
  cuda::check(cudaGetLastError(), "launching the gate");
  seen.push_back("gate");
  const double limit_us = gates_are_late() ? 0 : static_cast<double>(limit_ns) * 1e-3;
  as_stream(stream)->put({[=, start = now_us()] {
                            if (gate[0] != 0) return true;
                            if (now_us() - start < limit_us) return false;
                            gate[1] = 1;
                            return true;
                          },
                          [] { seen.push_back("opened"); }});
}
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
