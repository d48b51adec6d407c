// GPUs through the CUDA driver library, loaded with dlopen: for where NVML is not, as in containers
// started with the driver capability "compute" alone.
//
// It knows less than NVML: nothing of power, PCIe and NVLinks. No context is made. The driver's C
// interface is stable by name (CUDA driver API reference, NVIDIA); a call it lacks leaves its value
// at 0 or empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

inline constexpr std::string_view cuda_driver_source = "CUDA driver";  // LocalMachine::gpu_source

struct CudaDriverGpus {
  std::vector<LocalGpu> gpus;  // in CUDA's order; CUDA_VISIBLE_DEVICES is applied
  std::string driver_version;  // "for CUDA 13.0": it does not say its own
  std::string note;            // why `gpus` is empty
  bool loaded = false;         // false: there is no such library
  bool started = false;        // it answers, if with no device
};

CudaDriverGpus probe_cuda_driver(const std::string& library = "libcuda.so.1");

}  // namespace fabricast
