#include "topologies/discover/host_probe.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace fabricast {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// The leading number of `text`; 0 when there is none.
std::int64_t leading_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<fs::path> entries(const fs::path& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The value of "name : value" in a /proc file.
std::string field(const fs::path& file, std::string_view name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const auto colon = line.find(':');
    const auto begin =
        colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (begin != std::string::npos)
      return line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
  }
  return "";
}

// The cgroup v2 directory of this process and its parents, innermost first.
std::vector<fs::path> cgroups(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::vector<fs::path> paths;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("0::/")) continue;
    for (fs::path below = line.substr(4); !below.empty(); below = below.parent_path()) {
      paths.push_back(mount / below);
    }
  }
  paths.push_back(mount);
  return paths;
}

// The CPUs of this process' affinity mask; all of them when it cannot be read.
std::vector<std::int32_t> affinity(const fs::path& root, std::int32_t online) {
  std::vector<std::int32_t> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  const bool known = root == "/" && sched_getaffinity(0, sizeof set, &set) == 0;
  for (std::int32_t cpu = 0; cpu < (known ? CPU_SETSIZE : online); ++cpu) {
    if (!known || CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// The least of the cgroup v2 quotas above this process, or the v1 quota; 0 when there is none.
std::int32_t cpu_quota(const fs::path& root) {
  std::int32_t least = 0;
  const auto consider = [&](std::int32_t cores) {
    if (cores > 0 && (least == 0 || cores < least)) least = cores;
  };
  for (const auto& cgroup : cgroups(root)) {
    consider(parse_cpu_quota(first_line(cgroup / "cpu.max")));
  }
  consider(parse_cpu_quota(first_line(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us") + " " +
                           first_line(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")));
  return least;
}

std::int64_t memory_bytes(const fs::path& root) {
  std::int64_t bytes = leading_number(field(root / "proc/meminfo", "MemTotal")) * 1024;
  for (const auto& cgroup : cgroups(root)) {
    const std::int64_t limit = leading_number(first_line(cgroup / "memory.max"));
    if (limit > 0 && (bytes == 0 || limit < bytes)) bytes = limit;
  }
  return bytes;
}

std::int64_t llc_bytes(const fs::path& root) {
  std::int64_t level = 0, bytes = 0;
  for (const auto& index : entries(root / "sys/devices/system/cpu/cpu0/cache")) {
    const std::int64_t of = leading_number(first_line(index / "level"));
    if (of > level && first_line(index / "type") != "Instruction") {
      level = of;
      bytes = parse_cache_size(first_line(index / "size"));
    }
  }
  if (bytes == 0 && root == "/") bytes = std::max(0L, sysconf(_SC_LEVEL3_CACHE_SIZE));
  return bytes;
}

std::int32_t online_cores(const fs::path& root) {
  if (root == "/") return static_cast<std::int32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  std::int32_t count = 0;
  std::ifstream in(root / "proc/cpuinfo");
  for (std::string line; std::getline(in, line);) count += line.starts_with("processor") ? 1 : 0;
  return std::max(count, 1);
}

std::vector<LocalNic> network_ports(const fs::path& root) {
  std::vector<LocalNic> nics;
  for (const auto& device : entries(root / "sys/class/infiniband")) {
    for (const auto& port : entries(device / "ports")) {
      const double rate = parse_port_rate(first_line(port / "rate"));
      if (rate <= 0 || first_line(port / "state").find("ACTIVE") == std::string::npos) continue;
      const bool infiniband = first_line(port / "link_layer") == "InfiniBand";
      nics.push_back({device.filename().string(), infiniband ? "infiniband" : "roce", rate});
    }
  }
  if (!nics.empty()) return nics;  // RDMA ports carry the collectives
  for (const auto& device : entries(root / "sys/class/net")) {
    std::error_code ignored;
    const std::int64_t mbit = leading_number(first_line(device / "speed"));
    // Without "device" it is virtual: loopback, bridge, container.
    if (mbit <= 0 || !fs::exists(device / "device", ignored)) continue;
    if (first_line(device / "operstate") != "up") continue;
    nics.push_back({device.filename().string(), "ethernet", static_cast<double>(mbit) / 1000});
  }
  return nics;
}

}  // namespace

std::int64_t parse_cache_size(std::string_view text) {
  const std::int64_t value = leading_number(text);
  if (text.ends_with('K')) return value * 1024;
  if (text.ends_with('M')) return value * 1024 * 1024;
  return 0;
}

std::int32_t parse_cpu_quota(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::int64_t quota = leading_number(text.substr(0, space));
  const std::int64_t period = leading_number(text.substr(space + 1));
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<std::int32_t>(std::min<std::int64_t>((quota + period - 1) / period, 1 << 20));
}

double parse_port_rate(std::string_view text) {
  double rate = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), rate);
  const std::string_view rest = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  return rest.starts_with(" Gb/sec") ? rate : 0;
}

LocalMachine probe_host(const fs::path& root) {
  LocalMachine machine;
  utsname name{};
  if (root == "/" && uname(&name) == 0) {
    machine.hostname = name.nodename;
    machine.kernel = std::string(name.sysname) + " " + name.release;
  } else {
    machine.hostname = first_line(root / "proc/sys/kernel/hostname");
    machine.kernel = "Linux " + first_line(root / "proc/sys/kernel/osrelease");
  }
  machine.boot_id = first_line(root / "proc/sys/kernel/random/boot_id");
  machine.cpu_model = field(root / "proc/cpuinfo", "model name");
  if (machine.cpu_model.empty()) {
    machine.cpu_model = root == "/" ? std::string(name.machine) + " processor" : "processor";
  }
  machine.online_cores = online_cores(root);
  machine.cpus = affinity(root, machine.online_cores);
  machine.cpu_quota = cpu_quota(root);
  const auto bound = static_cast<std::int32_t>(machine.cpus.size());
  machine.usable_cores =
      std::max(1, machine.cpu_quota > 0 ? std::min(bound, machine.cpu_quota) : bound);
  machine.memory_bytes = memory_bytes(root);
  machine.llc_bytes = llc_bytes(root);
  machine.nics = network_ports(root);
  return machine;
}

}  // namespace fabricast
