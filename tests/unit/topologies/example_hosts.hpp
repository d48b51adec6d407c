// Hosts as discover finds them, for tests of what it makes of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "topologies/discover/local_machine.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {

inline LocalGpu h200(int index) {
  LocalGpu gpu;
  gpu.name = "NVIDIA H200";
  gpu.uuid = "GPU-" + std::to_string(index);
  gpu.bus_id = "0000:0" + std::to_string(index) + ":00.0";
  gpu.compute_major = 9;
  gpu.memory_bytes = 150754820096;
  gpu.power_limit_w = 700;
  gpu.nvlinks = 18;
  gpu.pcie_generation = 5;
  gpu.pcie_width = 16;
  return gpu;
}

inline LocalMachine host(const std::string& name, int gpus) {
  LocalMachine machine;
  machine.hostname = name;
  machine.boot_id = "boot-" + name;
  machine.kernel = "Linux 6.1";
  machine.cpu_model = "Some \"CPU\"";
  machine.usable_cores = 4;
  machine.online_cores = 8;
  machine.memory_bytes = 64'000'000'000;
  machine.llc_bytes = 32 << 20;
  for (int i = 0; i < gpus; ++i) machine.gpus.push_back(h200(i));
  return machine;
}

inline std::shared_ptr<const Topology> machine_of(const std::vector<LocalMachine>& hosts) {
  return parse_machine(to_machine_yaml(hosts), "discovered.yaml");
}

}  // namespace fabricast
