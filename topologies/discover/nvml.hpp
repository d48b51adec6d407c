// GPUs through NVML, loaded with dlopen: our own declarations of the few functions used.
//
// NVML's C interface is stable by name (nvml API reference, NVIDIA). Any failure means no GPUs,
// with the reason in `note`; a value that a GPU does not report stays 0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

struct NvmlGpus {
  std::vector<LocalGpu> gpus;  // in PCI bus order
  std::string driver_version;
  std::string note;     // why `gpus` is empty
  bool loaded = false;  // there is such a library
  bool started = false;
};

NvmlGpus probe_nvml(const std::string& library = "libnvidia-ml.so.1");

// Do all active NVLinks of all these GPUs lead to switches, as far as NVML says?
bool meet_at_switches(const std::vector<LocalGpu>& gpus);

// The GPUs that CUDA_VISIBLE_DEVICES lets a process see, in its order: indices or UUID prefixes; an
// entry that names none ends the list, as in CUDA. A null pointer: all of them.
std::vector<LocalGpu> visible_gpus(const std::vector<LocalGpu>& all, const char* variable);

}  // namespace fabricast
