#include "emulator/runtime/nccl_devices.hpp"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {
namespace {

std::string this_host() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "unknown";
  return name;
}

// Where the GPUs are that this process sees, in CUDA's order: equal for two processes only if they
// mean one GPU. CUDA_VISIBLE_DEVICES does not tell: where batch systems hide the other devices,
// every process finds its own as number 0. One without an address counts as nobody else's.
std::string visible_addresses(const Communicator& processes) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess) devices = 0;
  std::string lines;
  for (int d = 0; d < devices; ++d) {
    char text[32] = {};
    if (cudaDeviceGetPCIBusId(text, sizeof text, d) != cudaSuccess) {
      fmt::format_to(std::back_inserter(lines), "process {} device {}\n", processes.rank(), d);
    } else {
      lines += this_host() + " " + text + "\n";
    }
  }
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

GpuAssignment assign_gpu(const Communicator& processes) {
  const auto views = processes.all_gather(visible_addresses(processes));
  const auto hosts = processes.all_gather(this_host());
  std::set<std::string> taken;
  GpuAssignment mine;
  for (std::size_t r = 0; r < views.size(); ++r) {
    const auto visible = lines_of(views[r]);
    const auto own = std::find_if(visible.begin(), visible.end(),
                                  [&](const auto& gpu) { return taken.count(gpu) == 0; });
    if (own == visible.end()) {
      mine.problem = fmt::format(
          "process {} on host {} has no GPU of its own ({} visible there, one process "
          "each) start at most as many processes per host as it has GPUs, or "
          "--share-gpus with --check-only",
          r, hosts[r], visible.size());
      return mine;
    }
    taken.insert(*own);
    if (static_cast<int>(r) == processes.rank()) {
      mine.device = static_cast<int>(own - visible.begin());
    }
  }
  return mine;
}

GpuAssignment assign_shared_gpu(const Communicator& processes) {
  const auto views = processes.all_gather(visible_addresses(processes));
  GpuAssignment mine;
  const auto blind = std::find(views.begin(), views.end(), "");
  if (blind != views.end()) {
    mine.problem = fmt::format("process {} sees no GPU (none to share) run where all do",
                               blind - views.begin());
    return mine;
  }
  const auto self = views.begin() + processes.rank();
  mine.device = static_cast<int>(static_cast<std::size_t>(std::count(views.begin(), self, *self)) %
                                 lines_of(*self).size());
  return mine;
}

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
