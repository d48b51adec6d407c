// The runtime's calls about GPUs. They have PCI addresses 0000:01:00.0, 0000:02:00.0, ...
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "tests/ptx_device/device_facts.hpp"
#include "tests/ptx_device/gpu_memory.hpp"
#include "tests/ptx_device/status.hpp"

namespace fabricast::ptx {
namespace {

bool is_device(int device) { return device >= 0 && device < device_count(); }

void describe(int device, cudaDeviceProp& p) {
  p = {};
  std::strcpy(p.name, "PTX device");
  p.totalGlobalMem = gpu_memory_bytes;
  p.sharedMemPerBlock = shared_bytes_per_block;
  p.sharedMemPerMultiprocessor = shared_bytes_per_sm;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.warpSize = 32;
  p.maxThreadsPerBlock = static_cast<int>(max_threads_per_block);
  p.maxThreadsPerMultiProcessor = static_cast<int>(threads_per_sm);
  std::copy_n(std::begin({1024, 1024, 64}), 3, p.maxThreadsDim);
  std::copy_n(std::begin({2147483647, 65535, 65535}), 3, p.maxGridSize);
  p.major = compute_major;
  p.multiProcessorCount = static_cast<int>(multiprocessors());
  p.l2CacheSize = 256 << 10;  // suites move many times as much
  p.memoryBusWidth = 512;
  p.asyncEngineCount = 2;
  p.concurrentKernels = p.cooperativeLaunch = p.canMapHostMemory = p.unifiedAddressing = 1;
  p.pciBusID = device + 1;
}

}  // namespace

std::size_t multiprocessors() {
  const char* text = std::getenv("FABRICAST_PTX_SMS");
  return text != nullptr ? std::strtoul(text, nullptr, 10) : 4;
}

}  // namespace fabricast::ptx

using namespace fabricast::ptx;

extern "C" {
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    describe(device, *properties);
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int bytes, int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    const int length = std::snprintf(text, static_cast<std::size_t>(bytes), "0000:%02x:00.0",
                                     static_cast<unsigned>(device + 1));
    return length < bytes ? cudaSuccess : cudaErrorInvalidValue;
  });
}
cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* text) {
  return call([&] {
    unsigned domain = 0, bus = 0;
    const bool read = std::sscanf(text, "%x:%x:00.0", &domain, &bus) == 2 && domain == 0;
    const int found = static_cast<int>(bus) - 1;
    if (!read || !is_device(found)) return cudaErrorInvalidDevice;
    *device = found;
    return cudaSuccess;
  });
}
// All reach each other's memory, atomics too.
cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attribute, int from, int to) {
  return call([&] {
    if (!is_device(from) || !is_device(to) || from == to) return cudaErrorInvalidDevice;
    *value = attribute == cudaDevP2PAttrPerformanceRank ? 0 : 1;
    return cudaSuccess;
  });
}
// No device is needed to ask.
cudaError_t cudaDriverGetVersion(int* version) { return *version = CUDART_VERSION, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = CUDART_VERSION, cudaSuccess; }
}
