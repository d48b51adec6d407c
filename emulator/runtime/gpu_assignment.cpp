#include "emulator/runtime/gpu_assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "emulator/base/host_name.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {
namespace {

// Where the GPUs are that this process sees, in CUDA's order: equal for two processes only if they
// mean one GPU. CUDA_VISIBLE_DEVICES does not tell: where batch systems hide the other devices,
// every process finds its own as number 0. One without an address counts as nobody else's.
std::string visible_addresses(const Communicator& processes) {
  std::string lines;
  for (const auto& address : cuda::device_addresses()) {
    lines += address.empty() ? fmt::format("process {} device {}\n", processes.rank(), lines.size())
                             : this_host() + " " + address + "\n";
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
          "each) start at most as many processes per host as it has GPUs, or let nccl check data "
          "with --share-gpus --check-only",
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

}  // namespace fabricast
