#include "emulator/nccl/network_settings.hpp"

#include "emulator/nccl/machine_shape.hpp"

namespace fabricast::nccl {

std::map<std::string, std::string> network_settings(TimeNetwork network, TimeGeneration generation,
                                                    int nodes) {
  if (nodes < 2) return {};
  const bool old = generation == TimeGeneration::volta || generation == TimeGeneration::ampere;
  if (network == TimeNetwork::efa && old) return {{"NCCL_PROTO", "Simple"}};
  if (network == TimeNetwork::tcpx || network == TimeNetwork::tcpxo) {
    return {{"NCCL_PROTO", "Simple"}, {"NCCL_NVLS_ENABLE", "0"}};
  }
  return {};
}

void add_network_settings(Overrides& overrides, const Topology& machine, int nodes) {
  const auto user = overrides.set;
  for (const auto& [name, value] : network_settings(time_network_of(machine.fabric()),
                                                    time_generation_of(machine.gpu()), nodes)) {
    if (user.contains(name)) continue;
    assign(overrides, name, value);
    overrides.from_network[name] = value;
  }
  overrides.set = user;
}

}  // namespace fabricast::nccl
