#include "topologies/discover/cuda_driver.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include <fmt/format.h>

#include "topologies/discover/driver_library.hpp"

namespace fabricast {
namespace {

// Declarations of the CUDA driver (names, values and layouts of its public C interface).
using CudaDevice = int;
constexpr int cuda_success = 0, cuda_no_device = 100;
constexpr int compute_major_attribute = 75, compute_minor_attribute = 76;
struct CudaUuid {
  unsigned char bytes[16];
};

// As NVML and nvidia-smi write it: "GPU-32f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff".
std::string uuid_text(const CudaUuid& uuid, bool slice) {
  std::string text = slice ? "MIG" : "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid.bytes[i]);
  }
  return text;
}

LocalGpu read_cuda_device(const DriverLibrary& library, CudaDevice device) {
  LocalGpu gpu;
  std::array<char, 128> text{};
  const auto size = static_cast<int>(text.size());
  if (library.call("cuDeviceGetName", text.data(), size, device) == cuda_success) {
    gpu.name = text.data();
  }
  gpu.mig = gpu.name.find(" MIG ") != std::string::npos;
  CudaUuid uuid{};
  if (library.call("cuDeviceGetUuid_v2", &uuid, device) == cuda_success) {
    gpu.uuid = uuid_text(uuid, gpu.mig);
  } else if (!gpu.mig && library.call("cuDeviceGetUuid", &uuid, device) == cuda_success) {
    gpu.uuid = uuid_text(uuid, false);
  }
  if (library.call("cuDeviceGetPCIBusId", text.data(), size, device) == cuda_success) {
    gpu.bus_id = text.data();
    std::transform(gpu.bus_id.begin(), gpu.bus_id.end(), gpu.bus_id.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  std::size_t bytes = 0;
  if (library.call("cuDeviceTotalMem_v2", &bytes, device) == cuda_success) {
    gpu.memory_bytes = static_cast<std::int64_t>(bytes);
  }
  library.call("cuDeviceGetAttribute", &gpu.compute_major, compute_major_attribute, device);
  library.call("cuDeviceGetAttribute", &gpu.compute_minor, compute_minor_attribute, device);
  return gpu;
}

}  // namespace

CudaDriverGpus probe_cuda_driver(const std::string& library) {
  CudaDriverGpus result;
  // Once started it stays: the CUDA runtime of this process may be using it.
  const DriverLibrary found(library, DriverLibrary::stays_loaded);
  if (found.handle == nullptr) {
    result.note = fmt::format("{} cannot be loaded", library);
    return result;
  }
  result.loaded = true;
  result.note = "the CUDA driver reports no GPU";
  if (!found.has("cuInit")) {
    result.note = "the CUDA driver does not start (cuInit is missing)";
    return result;
  }
  if (const int code = found.call("cuInit", 0u); code != cuda_success) {
    result.started = code == cuda_no_device;
    if (!result.started) {
      result.note = fmt::format("the CUDA driver does not start (cuInit returned {})", code);
    }
    return result;
  }
  result.started = true;
  int version = 0;
  if (found.call("cuDriverGetVersion", &version) == cuda_success) {
    result.driver_version = fmt::format("for CUDA {}.{}", version / 1000, version % 1000 / 10);
  }
  int count = 0;
  found.call("cuDeviceGetCount", &count);
  for (int i = 0; i < count; ++i) {
    CudaDevice device = 0;
    if (found.call("cuDeviceGet", &device, i) == cuda_success) {
      result.gpus.push_back(read_cuda_device(found, device));
    }
  }
  if (!result.gpus.empty()) result.note.clear();
  return result;
}

}  // namespace fabricast
