// The machine this process runs on: what it has, and its machine file.
//
// Nothing is needed: no GPU, driver, HOME or network. What cannot be read is left at 0 or empty,
// and the machine file then says "assumed". NVML and the CUDA driver are loaded with dlopen at run
// time. Thread safety: pure functions apart from reading /proc, /sys and these.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct LocalGpu {
  std::string name;    // as the driver says: "NVIDIA H200"
  std::string uuid;    // "GPU-..."
  std::string bus_id;  // "0000:1b:00.0"
  int compute_major = 0, compute_minor = 0;
  std::int64_t memory_bytes = 0;
  double power_limit_w = 0;  // default limit
  int nvlinks = 0;           // active links
  int switch_links = 0;      // of these, to switches, as far as is known
  int pcie_generation = 0, pcie_width = 0;
  bool mig = false;  // partitioned: what a process sees is a slice
};

struct LocalNic {
  std::string name;
  std::string fabric;     // "infiniband", "roce", "efa", "ethernet"
  double gbit_per_s = 0;  // of one port, one direction
};

struct LocalMachine {
  std::string hostname, boot_id, kernel, cpu_model;
  std::int32_t usable_cores = 1;   // affinity and cgroup quota respected; 0: not known
  std::int32_t cpu_quota = 0;      // cores that the cgroup grants; 0: no limit
  std::vector<std::int32_t> cpus;  // that this process may run on; empty: not known
  std::int32_t online_cores = 1;
  std::int64_t memory_bytes = 0;  // or the cgroup's limit when lower
  std::int64_t llc_bytes = 0;     // one last-level cache
  std::string driver_version;     // of the GPUs
  // About the GPUs: why there are none, or what the source of these facts leaves out.
  std::string gpu_note;
  std::string gpu_source = "NVML";  // where the facts about the GPUs come from
  bool nvlinks_known = true;        // false: LocalGpu::nvlinks says nothing
  // How NVLinks lead from GPU to GPU: "full_mesh", "cube_mesh" (all reach all, over others),
  // "apart" (not even that, as bridges of two); empty: to a switch, or not known.
  std::string nvlink_shape;
  bool nvlink_switch = false;  // all of them lead to switches, as far as is known
  std::vector<LocalGpu> gpus;  // in the order a process would number them
  std::vector<LocalNic> nics;  // active ones
};

// Whether discover may start the CUDA driver (cuInit), which takes time and a device's memory: not
// in processes that measure cores.
enum class CudaDriverUse { started, left_alone };

// Everything; `root` is prepended to /proc and /sys paths (tests).
LocalMachine discover_local(CudaDriverUse use = CudaDriverUse::started,
                            const std::filesystem::path& root = "/");

// For a gather over MPI: a machine as one line of text, and back. unpack throws RuntimeError.
std::string pack(const LocalMachine& machine);
LocalMachine unpack(std::string_view text);

// One description per host, in the order of first appearance. Processes of one host may each be
// bound to a core or see one GPU: their CPUs and GPUs are joined, in process order.
std::vector<LocalMachine> join_processes(std::span<const LocalMachine> processes);

// The machine file of these hosts, after join_processes(). One host gives kind single_node (GPUs)
// or host, several kind nested. Hosts that no machine holds together (docs/machines.md, `others`)
// are a UsageError that names the kinds. The result is read by parse_machine().
std::string to_machine_yaml(std::span<const LocalMachine> hosts);

// For `sample` and trace records: hostname, kernel, CPU, cores, load averages, memory, LLC, GPUs.
// Values that cannot be read are left out. Keys: hostname kernel cpu_model usable_cores
// online_cores memory_bytes llc_bytes load_1min load_5min load_15min gpus gpu_driver.
std::map<std::string, std::string> host_environment(CudaDriverUse use = CudaDriverUse::started);

}  // namespace fabricast
