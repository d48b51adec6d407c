#include "emulator/runtime/nccl_availability.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/gpu_assignment.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {

std::string nccl_missing_somewhere(const Communicator& processes) {
  const Availability mine = nccl_availability();
  const auto all = processes.all_gather(mine.available ? "" : mine.reason);
  const auto without =
      std::find_if(all.begin(), all.end(), [](const auto& reason) { return !reason.empty(); });
  if (without == all.end()) return "";
  return processes.size() == 1 ? *without
                               : fmt::format("process {}: {}", without - all.begin(), *without);
}

Availability nccl_availability() {
  const auto probe = cuda::probe_devices();
  if (probe.devices == 0) return {false, probe.reason, 0};
  const auto& nccl = nccl_library();
  if (!nccl.usable()) return {false, nccl.problem, 0};
  return {true,
          fmt::format("NCCL {}, {} GPUs ({})", nccl.version_text(), probe.devices, probe.reason),
          probe.devices};
}

Availability nccl_availability(const Communicator& processes) {
  if (processes.size() == 1) return nccl_availability();
  if (const auto why = nccl_missing_somewhere(processes); !why.empty()) return {false, why, 0};
  if (const auto gpu = assign_gpu(processes); !gpu.problem.empty()) return {false, gpu.problem, 0};
  return {true,
          fmt::format("NCCL {}, a GPU for each of {} processes", nccl_library().version_text(),
                      processes.size()),
          processes.size()};
}

}  // namespace fabricast
