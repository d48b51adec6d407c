#include "emulator/cli/local_machine.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Thread blocks of one GPU as ranks: as many copies of that GPU, which share its memory. Links of
// the written machine are not used by the cuda executor's costs.
LocalMachine blocks_of_first_gpu(LocalMachine host, std::int32_t blocks) {
  if (host.gpus.empty()) return host;
  LocalGpu gpu = host.gpus.front();
  gpu.name += " (thread blocks of one GPU)";
  host.gpus.assign(static_cast<std::size_t>(blocks), gpu);
  return host;
}

bool measures_cores(ExecutorKind kind) {
  return kind == ExecutorKind::host || kind == ExecutorKind::mpi;
}

// Samples of GPUs belong to no machine of cores. Where only some hosts lack GPUs, these are unlike.
void require_described_gpus(const std::vector<LocalMachine>& processes) {
  for (const auto& process : processes) {
    if (!process.gpus.empty()) return;
  }
  throw UsageError(
      fmt::format("the driver does not describe this GPU ({}; so its machine cannot be written) "
                  "name the machine with --machine of measure or suites",
                  processes.front().gpu_note));
}

void warn_of_unknown_links(const std::vector<LocalMachine>& processes) {
  std::size_t gpus = 0;
  for (const auto& process : processes) gpus += process.gpus.size();
  const auto unsure = std::find_if(processes.begin(), processes.end(),
                                   [](const auto& process) { return !process.nvlinks_known; });
  if (unsure == processes.end() || gpus < 2) return;
  log_warning(
      fmt::format("{}: the machine of these samples joins its GPUs by PCIe (measure --machine "
                  "names another)",
                  unsure->gpu_note));
}

}  // namespace

std::shared_ptr<const Topology> local_machine(const Communicator& communicator,
                                              const ExecutorChoice& choice) {
  const auto packed = communicator.all_gather(pack(discover_local()));
  const auto ranks = choice.executor->max_ranks();
  const bool blocks = choice.kind == ExecutorKind::cuda && communicator.size() == 1;
  const auto yaml = agree(communicator, [&] {
    std::vector<LocalMachine> hosts;
    for (const auto& text : packed) {
      hosts.push_back(unpack(text));
      if (measures_cores(choice.kind) && !hosts.back().gpus.empty()) {
        hosts.back().gpus.clear();
        hosts.back().gpu_note = "left out, cores are measured";
      }
    }
    if (!measures_cores(choice.kind)) {
      require_described_gpus(hosts);
      if (!blocks) warn_of_unknown_links(hosts);
    }
    if (blocks) hosts.front() = blocks_of_first_gpu(hosts.front(), ranks);
    return to_machine_yaml(hosts);
  });
  auto topology = parse_machine(yaml, "this machine");
  if (ranks > 0 && ranks < topology->ranks()) topology = with_ranks(topology, ranks);
  return topology;
}

}  // namespace fabricast
