#include "emulator/cli/local_machine.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/coordinator/agreement.hpp"
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

}  // namespace

void judge_unknown_links(const std::vector<LocalMachine>& processes, bool in_switch) {
  const auto hosts = join_processes(processes);
  const auto unsure = std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) {
    return !host.nvlinks_known && (in_switch || host.gpus.size() > 1);
  });
  if (unsure == hosts.end()) return;
  if (in_switch) {
    throw UsageError(
        fmt::format("--multimem reduces in the switch of NVLinks, and nothing tells of any here "
                    "({}; its samples would be of GPUs on PCIe) name the machine with --machine",
                    unsure->gpu_note));
  }
  log_warning(
      fmt::format("{}: the machine of these samples joins its GPUs by PCIe (measure --machine "
                  "names another)",
                  unsure->gpu_note));
}

std::shared_ptr<const Topology> local_machine(const Communicator& communicator,
                                              const ExecutorChoice& choice, bool in_switch) {
  const bool cores = measures_cores(choice.kind);
  const auto use = cores ? CudaDriverUse::left_alone : CudaDriverUse::started;
  const auto packed = communicator.all_gather(pack(discover_local(use)));
  const auto ranks = choice.executor->max_ranks();
  const bool blocks = choice.kind == ExecutorKind::cuda && communicator.size() == 1;
  const auto yaml = agree(communicator, [&] {
    std::vector<LocalMachine> hosts;
    for (const auto& text : packed) {
      hosts.push_back(unpack(text));
      if (cores) {
        hosts.back().gpus.clear();
        hosts.back().gpu_note = "left out, cores are measured";
      }
    }
    if (!cores) {
      require_described_gpus(hosts);
      if (!blocks) judge_unknown_links(hosts, in_switch);
    }
    if (blocks) hosts.front() = blocks_of_first_gpu(hosts.front(), ranks);
    return to_machine_yaml(hosts);
  });
  auto topology = parse_machine(yaml, "this machine");
  if (ranks > 0 && ranks < topology->ranks()) topology = with_ranks(topology, ranks);
  return topology;
}

}  // namespace fabricast
