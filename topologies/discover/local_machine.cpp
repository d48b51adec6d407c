#include "topologies/discover/local_machine.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emulator/base/error.hpp"
#include "topologies/discover/gpu_probe.hpp"
#include "topologies/discover/host_probe.hpp"

namespace fabricast {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LocalGpu, name, uuid, bus_id, compute_major, compute_minor,
                                   memory_bytes, power_limit_w, nvlinks, switch_links,
                                   pcie_generation, pcie_width, mig)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LocalNic, name, fabric, gbit_per_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LocalMachine, hostname, boot_id, kernel, cpu_model, usable_cores,
                                   cpu_quota, cpus, online_cores, memory_bytes, llc_bytes,
                                   driver_version, gpu_note, gpu_source, nvlinks_known,
                                   nvlink_shape, nvlink_switch, gpus, nics)

namespace {

// Slices of a GPU share its address.
bool same_gpu(const LocalGpu& a, const LocalGpu& b) {
  return a.bus_id == b.bus_id && (a.uuid.empty() || b.uuid.empty() || a.uuid == b.uuid);
}

}  // namespace

LocalMachine discover_local(CudaDriverUse use, const std::filesystem::path& root) {
  LocalMachine machine = probe_host(root);
  if (root == "/") {
    probe_gpus(machine, use);
  } else {
    machine.gpu_note = "not this machine";
  }
  return machine;
}

std::string pack(const LocalMachine& machine) {
  // Names from drivers and files may hold any byte.
  return nlohmann::json(machine).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

LocalMachine unpack(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<LocalMachine>();
  } catch (const nlohmann::json::exception& error) {
    throw RuntimeError(
        fmt::format("cannot read the description of a host ({}); do all processes run "
                    "the same fabricast?",
                    error.what()));
  }
}

std::vector<LocalMachine> join_processes(std::span<const LocalMachine> processes) {
  std::vector<LocalMachine> hosts;
  for (const auto& process : processes) {
    const auto known = std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) {
      return host.hostname == process.hostname && host.boot_id == process.boot_id;
    });
    if (known == hosts.end()) {
      hosts.push_back(process);
      continue;
    }
    for (const auto cpu : process.cpus) {
      if (std::find(known->cpus.begin(), known->cpus.end(), cpu) == known->cpus.end()) {
        known->cpus.push_back(cpu);
      }
    }
    if (!process.gpus.empty() && known->gpus.empty()) {
      known->gpu_source = process.gpu_source;
      known->driver_version = process.driver_version;
      known->gpu_note = process.gpu_note;
    } else if (!process.gpus.empty() && known->gpu_note.empty()) {
      known->gpu_note = process.gpu_note;
    }
    for (const auto& gpu : process.gpus) {
      const bool seen = std::any_of(known->gpus.begin(), known->gpus.end(),
                                    [&](const auto& of) { return same_gpu(of, gpu); });
      if (!seen) known->gpus.push_back(gpu);
    }
    known->nvlinks_known = known->nvlinks_known && process.nvlinks_known;
    known->nvlink_switch = known->nvlink_switch && process.nvlink_switch;
    if (!known->cpus.empty()) {
      const auto bound = static_cast<std::int32_t>(known->cpus.size());
      known->usable_cores = known->cpu_quota > 0 ? std::min(bound, known->cpu_quota) : bound;
    }
  }
  return hosts;
}

std::map<std::string, std::string> host_environment(CudaDriverUse use) {
  const LocalMachine machine = discover_local(use);
  std::map<std::string, std::string> environment;
  const auto put = [&](const char* key, std::string value) {
    if (!value.empty() && value != "0") environment[key] = std::move(value);
  };
  put("hostname", machine.hostname);
  put("kernel", machine.kernel);
  put("cpu_model", machine.cpu_model);
  put("usable_cores", std::to_string(machine.usable_cores));
  put("online_cores", std::to_string(machine.online_cores));
  put("memory_bytes", std::to_string(machine.memory_bytes));
  put("llc_bytes", std::to_string(machine.llc_bytes));
  double loads[3];
  if (getloadavg(loads, 3) == 3) {
    environment["load_1min"] = fmt::format("{:.2f}", loads[0]);
    environment["load_5min"] = fmt::format("{:.2f}", loads[1]);
    environment["load_15min"] = fmt::format("{:.2f}", loads[2]);
  }
  std::string gpus;
  for (const auto& gpu : machine.gpus) gpus += (gpus.empty() ? "" : ", ") + gpu.name;
  put("gpus", gpus);
  put("gpu_driver", machine.driver_version);
  return environment;
}

}  // namespace fabricast
