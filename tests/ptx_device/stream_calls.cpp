// The runtime's calls for streams, events and graphs.
#include <cuda_runtime_api.h>

#include "tests/ptx_device/handles.hpp"
#include "tests/ptx_device/status.hpp"
#include "tests/ptx_device/stream.hpp"

namespace fabricast::ptx {
namespace {

using Works = std::vector<Work>;
using Found = std::shared_ptr<Event>;

Handles<cudaEvent_t, Event>& events() {
  static auto& only = *new Handles<cudaEvent_t, Event>;
  return only;
}
Handles<cudaGraph_t, Works>& graphs() {
  static auto& only = *new Handles<cudaGraph_t, Works>;
  return only;
}
Handles<cudaGraphExec_t, Works>& executables() {
  static auto& only = *new Handles<cudaGraphExec_t, Works>;
  return only;
}

template <class Body>
cudaError_t with_stream(cudaStream_t handle, const Body& body) {
  return call([&] {
    const auto stream = find_stream(handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : body(*stream);
  });
}
template <class Body>
cudaError_t with_event(cudaEvent_t handle, const Body& body) {
  return call([&] {
    const Found event = events().find(handle);
    return event == nullptr ? cudaErrorInvalidResourceHandle : body(event);
  });
}
cudaError_t removed(bool was_there) {
  return record(was_there ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

// What the host has waited for may have faulted meanwhile.
cudaError_t after_waiting() { return faulted() ? cudaErrorIllegalAddress : cudaSuccess; }

cudaError_t record_event(const Found& event, Stream& stream) {
  if (stream.captured) return refuse(cudaErrorNotSupported, "an event in a graph");
  put_always(stream, [event, number = event->record()] { event->complete(number); });
  return cudaSuccess;
}

cudaError_t wait_for_event(const Found& event, Stream& stream) {
  if (stream.captured) return refuse(cudaErrorNotSupported, "an event in a graph");
  put_always(stream, [event, number = event->recorded()] { event->wait(number); });
  return cudaSuccess;
}

}  // namespace
}  // namespace fabricast::ptx

using namespace fabricast::ptx;

extern "C" {
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
  return call([&] {
    create_stream((flags & cudaStreamNonBlocking) == 0, *handle);
    return cudaSuccess;
  });
}
cudaError_t cudaStreamCreate(cudaStream_t* handle) {
  return cudaStreamCreateWithFlags(handle, cudaStreamDefault);
}
// Its work goes on.
cudaError_t cudaStreamDestroy(cudaStream_t handle) { return removed(destroy_stream(handle)); }

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return with_stream(handle, [&](Stream& stream) {
    if (stream.captured) return cudaErrorStreamCaptureUnsupported;
    if (stream.blocking()) put_always(stream, [] {});  // what it waits for is waited for as well
    stream.mark().wait();
    return after_waiting();
  });
}
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return with_stream(
      handle, [&](Stream& stream) { return stream.idle() ? cudaSuccess : cudaErrorNotReady; });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  return with_stream(handle, [&](Stream& stream) {
    return with_event(event, [&](const Found& found) { return wait_for_event(found, stream); });
  });
}
cudaError_t cudaDeviceSynchronize() {
  return call([] {
    wait_for_device(current_device());
    return after_waiting();
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  return call([&] {
    *handle = events().add(std::make_shared<Event>((flags & cudaEventDisableTiming) == 0));
    return cudaSuccess;
  });
}
cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, cudaEventDefault);
}
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return removed(events().remove(handle) != nullptr);
}
cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  return with_event(handle, [&](const Found& event) {
    return with_stream(stream, [&](Stream& on) { return record_event(event, on); });
  });
}
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return with_event(handle, [](const Found& event) {
    return event->completed(event->recorded()) ? cudaSuccess : cudaErrorNotReady;
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return with_event(handle, [](const Found& event) {
    event->wait(event->recorded());
    return after_waiting();
  });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  return with_event(start, [&](const Found& from) {
    return with_event(stop, [&](const Found& to) {
      for (const Found& each : {from, to}) {
        if (!each->timed() || each->recorded() == 0) return cudaErrorInvalidResourceHandle;
        if (!each->completed(each->recorded())) return cudaErrorNotReady;
      }
      *milliseconds = static_cast<float>((to->us() - from->us()) * 1e-3);
      return cudaSuccess;
    });
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  const bool is_default = handle == nullptr || handle == cudaStreamLegacy;
  return with_stream(handle, [&](Stream& stream) {
    if (is_default) return cudaErrorStreamCaptureUnsupported;
    if (stream.captured) return cudaErrorIllegalState;
    stream.captured.emplace();
    return cudaSuccess;
  });
}
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return with_stream(handle, [&](Stream& stream) {
    if (!stream.captured) return cudaErrorIllegalState;
    *graph = graphs().add(std::make_shared<Works>(std::move(*stream.captured)));
    stream.captured.reset();
    return cudaSuccess;
  });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  return call([&] {
    const auto works = graphs().find(graph);
    if (works == nullptr) return cudaErrorInvalidValue;
    *executable = executables().add(std::make_shared<Works>(*works));
    return cudaSuccess;
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  return with_stream(handle, [&](Stream& stream) {
    const auto works = executables().find(executable);
    if (works == nullptr) return cudaErrorInvalidValue;
    for (const Work& work : *works) put(stream, work);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return removed(graphs().remove(graph) != nullptr);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return removed(executables().remove(executable) != nullptr);
}
}
