// The runtime's calls for memory. As on a GPU, copies on the device and what fills its memory do
// not make the host wait, and a copy from pageable memory takes what it needs and may finish later.
#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/ptx_device/gpu_memory.hpp"
#include "tests/ptx_device/status.hpp"
#include "tests/ptx_device/stream.hpp"

namespace fabricast::ptx {
namespace {

bool is_host(Place place) { return place == Place::pinned_host || place == Place::pageable_host; }

bool direction_fits(cudaMemcpyKind kind, Place to, Place from) {
  if (to == Place::beyond_an_end || from == Place::beyond_an_end) return false;
  switch (kind) {
    case cudaMemcpyHostToHost:
      return is_host(to) && is_host(from);
    case cudaMemcpyHostToDevice:
      return to == Place::device && is_host(from);
    case cudaMemcpyDeviceToHost:
      return is_host(to) && from == Place::device;
    case cudaMemcpyDeviceToDevice:
      return to == Place::device && from == Place::device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

Work copy_of(void* to, const void* from, std::size_t bytes, Place source) {
  if (source != Place::pageable_host) return [=] { std::memcpy(to, from, bytes); };
  const auto* begin = static_cast<const std::byte*>(from);
  const auto staged = std::make_shared<std::vector<std::byte>>(begin, begin + bytes);
  return [=] { std::memcpy(to, staged->data(), staged->size()); };
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, Stream& stream,
                 bool host_waits) {
  const Place target = place_of(to, bytes), source = place_of(from, bytes);
  if (!direction_fits(kind, target, source)) {
    return refuse(cudaErrorInvalidValue,
                  "a copy beyond its memory, or not in the direction that it says");
  }
  put(stream, copy_of(to, from, bytes, source));
  const bool pageable = target == Place::pageable_host;
  const bool on_device = target == Place::device && source != Place::pinned_host;
  if (!stream.captured && (pageable || (host_waits && !on_device))) stream.mark().wait();
  return faulted() ? cudaErrorIllegalAddress : cudaSuccess;
}

cudaError_t fill(void* data, int value, std::size_t bytes, Stream& stream) {
  if (place_of(data, bytes) != Place::device) {
    return refuse(cudaErrorInvalidValue, "a fill of what is no memory of the GPU");
  }
  put(stream, [=] { std::memset(data, value, bytes); });
  return cudaSuccess;
}

template <class Body>
cudaError_t on_stream(cudaStream_t handle, const Body& body) {
  return call([&] {
    const auto stream = find_stream(handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : body(*stream);
  });
}

// Nothing may run on memory that is given back.
template <class Free>
cudaError_t give_back(void* data, Free free) {
  if (data == nullptr) return cudaSuccess;
  wait_for_device(current_device());
  return record(free(data) ? device_state() : cudaErrorInvalidValue);
}

}  // namespace
}  // namespace fabricast::ptx

using namespace fabricast::ptx;

extern "C" {
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  return call([&] {
    *data = bytes > 0 ? allocate_device(bytes) : nullptr;
    return *data != nullptr || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}
cudaError_t cudaFree(void* data) { return give_back(data, free_device); }
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  return call([&] {
    *data = allocate_host(bytes);
    return *data != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}
cudaError_t cudaFreeHost(void* data) { return give_back(data, free_host); }
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  return call([&] {
    if (place_of(host, 1) != Place::pinned_host) return cudaErrorInvalidValue;
    *device = host;
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return call([] { return cudaSuccess; });
  return on_stream(nullptr,
                   [&](Stream& stream) { return copy(to, from, bytes, kind, stream, true); });
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t handle) {
  if (bytes == 0) return call([] { return cudaSuccess; });
  return on_stream(handle,
                   [&](Stream& stream) { return copy(to, from, bytes, kind, stream, false); });
}
cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  return cudaMemsetAsync(data, value, bytes, nullptr);
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t handle) {
  if (bytes == 0) return call([] { return cudaSuccess; });
  return on_stream(handle, [&](Stream& stream) { return fill(data, value, bytes, stream); });
}

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* data) {
  return call([&] { return export_memory(data, *handle) ? cudaSuccess : cudaErrorInvalidValue; });
}
cudaError_t cudaIpcOpenMemHandle(void** data, cudaIpcMemHandle_t handle, unsigned flags) {
  return call([&] {
    if (flags != cudaIpcMemLazyEnablePeerAccess) return cudaErrorInvalidValue;
    if (is_own(handle)) return cudaErrorDeviceUninitialized;
    *data = import_memory(handle);
    return *data != nullptr ? cudaSuccess : cudaErrorInvalidValue;
  });
}
cudaError_t cudaIpcCloseMemHandle(void* data) { return give_back(data, close_imported); }
}
