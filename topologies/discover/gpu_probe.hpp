// The GPU part of discover: NVML, and the CUDA driver where that cannot be loaded or started, where
// CUDA_VISIBLE_DEVICES names nothing that NVML lists (slices of MIG), or where a GPU is partitioned
// (MIG): NVML describes the whole one, a process sees a slice.
#pragma once

#include <string>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// Fills what LocalMachine says of GPUs, as far as CUDA_VISIBLE_DEVICES lets a process see them.
void probe_gpus(LocalMachine& machine, CudaDriverUse use = CudaDriverUse::started,
                const std::string& nvml_library = "libnvidia-ml.so.1",
                const std::string& cuda_library = "libcuda.so.1");

}  // namespace fabricast
