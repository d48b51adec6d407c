#include "topologies/discover/gpu_probe.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "topologies/discover/cuda_driver.hpp"
#include "topologies/discover/nvml.hpp"

namespace fabricast {
namespace {

// `why` NVML does not tell; `hidden`: it lists GPUs, and CUDA_VISIBLE_DEVICES names none of them.
void ask_the_cuda_driver(LocalMachine& machine, const std::string& library, const std::string& why,
                         bool hidden) {
  CudaDriverGpus cuda = probe_cuda_driver(library);
  if (!cuda.loaded) return;  // no driver at all: NVML's reason says so
  if (cuda.gpus.empty()) {
    if (hidden && cuda.started) return;
    machine.gpus.clear();  // a partitioned GPU without a slice for this process
    const bool chosen = !hidden && std::getenv("CUDA_VISIBLE_DEVICES") != nullptr;
    machine.gpu_note =
        fmt::format("{}, and {}{}", why, cuda.note, chosen ? " (CUDA_VISIBLE_DEVICES is set)" : "");
    return;
  }
  machine.gpus = std::move(cuda.gpus);
  if (machine.driver_version.empty()) machine.driver_version = cuda.driver_version;
  machine.gpu_source = cuda_driver_source;
  machine.gpu_note = why + ": power, PCIe and NVLinks are not known";
  machine.nvlinks_known = false;
}

}  // namespace

void probe_gpus(LocalMachine& machine, CudaDriverUse use, const std::string& nvml_library,
                const std::string& cuda_library) {
  const NvmlGpus nvml = probe_nvml(nvml_library);
  machine.driver_version = nvml.driver_version;
  machine.gpu_note = nvml.note;
  machine.gpus = visible_gpus(nvml.gpus, std::getenv("CUDA_VISIBLE_DEVICES"));
  const bool hidden = machine.gpus.empty() && !nvml.gpus.empty();
  if (hidden) machine.gpu_note = "CUDA_VISIBLE_DEVICES hides all GPUs";
  const bool sliced = std::any_of(machine.gpus.begin(), machine.gpus.end(),
                                  [](const LocalGpu& gpu) { return gpu.mig; });
  if (use == CudaDriverUse::started && (hidden || sliced || !nvml.started)) {
    const std::string why = hidden        ? "CUDA_VISIBLE_DEVICES names no GPU of NVML's list"
                            : sliced      ? "NVML describes a partitioned GPU (MIG) as a whole"
                            : nvml.loaded ? nvml.note
                                          : "NVML cannot be loaded";
    ask_the_cuda_driver(machine, cuda_library, why, hidden);
  }
  machine.nvlink_switch = meet_at_switches(machine.gpus);
}

}  // namespace fabricast
