// The GPU part of discover: NVML, and where that cannot be loaded or started the CUDA driver.
#pragma once

#include <string>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// Fills what LocalMachine says of GPUs, as far as CUDA_VISIBLE_DEVICES lets a process see them.
void probe_gpus(LocalMachine& machine, const std::string& nvml_library = "libnvidia-ml.so.1",
                const std::string& cuda_library = "libcuda.so.1");

}  // namespace fabricast
