#include "emulator/cli/local_machine.hpp"

#include <algorithm>
#include <string>
#include <vector>

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

bool measures_cores(ExecutorKind kind) { return kind == ExecutorKind::host || kind == ExecutorKind::mpi; }

}  // namespace

std::shared_ptr<const Topology> local_machine(const Communicator& communicator,
                                              const ExecutorChoice& choice) {
  const auto packed = communicator.all_gather(pack(discover_local()));
  const auto ranks = choice.executor->max_ranks();
  const auto yaml = agree(communicator, [&] {
    std::vector<LocalMachine> hosts;
    for (const auto& text : packed) {
      hosts.push_back(unpack(text));
      if (measures_cores(choice.kind)) hosts.back().gpus.clear();
      if (choice.kind == ExecutorKind::cuda && communicator.size() == 1) {
        hosts.back() = blocks_of_first_gpu(hosts.back(), ranks);
      }
    }
    return to_machine_yaml(hosts);
  });
  auto topology = parse_machine(yaml, "this machine");
  if (ranks > 0 && ranks < topology->ranks()) topology = with_ranks(topology, ranks);
  return topology;
}

}  // namespace fabricast
