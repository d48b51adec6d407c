#include "kernels/cuda/driver_api.hpp"

#include <cuda_runtime_api.h>

#include "emulator/base/error.hpp"

namespace fabricast::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Only the first that is missing is told: the others are as old.
template <class Call>
void find(DriverApi& api, Call& call, const char* name, int version) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult status{};
  const auto code = cudaGetDriverEntryPointByVersion(name, &found, static_cast<unsigned>(version),
                                                     cudaEnableDefault, &status);
  if (code == cudaSuccess && found != nullptr) {
    call = reinterpret_cast<Call>(found);
    return;
  }
  cudaGetLastError();  // that it is missing is no error of ours
  if (!api.missing.empty()) return;
  api.missing =
      std::string("the CUDA driver has no ") + name + " (of CUDA " + version_text(version) + ")";
}

DriverApi find_all() {
  DriverApi api;
  find(api, api.error_name, "cuGetErrorName", 6000);
  find(api, api.error_text, "cuGetErrorString", 6000);
  find(api, api.device_get, "cuDeviceGet", 2000);
  find(api, api.device_attribute, "cuDeviceGetAttribute", 2000);
  find(api, api.memory_granularity, "cuMemGetAllocationGranularity", 10020);
  find(api, api.memory_create, "cuMemCreate", 10020);
  find(api, api.memory_release, "cuMemRelease", 10020);
  find(api, api.memory_export, "cuMemExportToShareableHandle", 10020);
  find(api, api.memory_import, "cuMemImportFromShareableHandle", 10020);
  find(api, api.address_reserve, "cuMemAddressReserve", 10020);
  find(api, api.address_free, "cuMemAddressFree", 10020);
  find(api, api.map, "cuMemMap", 10020);
  find(api, api.unmap, "cuMemUnmap", 10020);
  find(api, api.set_access, "cuMemSetAccess", 10020);
  find(api, api.multicast_granularity, "cuMulticastGetGranularity", 12010);
  find(api, api.multicast_create, "cuMulticastCreate", 12010);
  find(api, api.multicast_add_device, "cuMulticastAddDevice", 12010);
  find(api, api.multicast_bind, "cuMulticastBindMem", 12010);
  find(api, api.multicast_unbind, "cuMulticastUnbind", 12010);
  return api;
}

}  // namespace

const DriverApi& driver_api() {
  static const DriverApi api = find_all();
  return api;
}

void check_driver(CUresult code, const std::string& what, const std::string& advice) {
  if (code == CUDA_SUCCESS) return;
  const char* name = nullptr;
  const char* text = nullptr;
  driver_api().error_name(code, &name);
  driver_api().error_text(code, &text);
  throw RuntimeError(what + " failed: " + (text != nullptr ? text : "an unknown error") + " (" +
                     (name != nullptr ? name : "CUDA error " + std::to_string(code)) + ")" +
                     (advice.empty() ? "" : " " + advice));
}

int device_attribute(int device, CUdevice_attribute attribute) {
  const DriverApi& api = driver_api();
  CUdevice handle = 0;
  int value = 0;
  const bool known = api.missing.empty() && api.device_get(&handle, device) == CUDA_SUCCESS &&
                     api.device_attribute(&value, attribute, handle) == CUDA_SUCCESS;
  return known ? value : 0;
}

}  // namespace fabricast::cuda
