#include "emulator/runtime/usable_cores.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace fabricast {
namespace {

std::optional<std::string> first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  return line;
}

void keep_least(std::optional<double>& least, std::optional<double> candidate) {
  if (candidate && (!least || *candidate < *least)) least = candidate;
}

std::optional<double> quota_at(const std::filesystem::path& group) {
  std::optional<double> cores;
  if (const auto v2 = first_line(group / "cpu.max")) keep_least(cores, cores_from_cpu_max(*v2));
  const auto quota = first_line(group / "cpu.cfs_quota_us");
  const auto period = first_line(group / "cpu.cfs_period_us");
  if (quota && period) keep_least(cores, cores_from_cpu_max(*quota + " " + *period));
  return cores;
}

}  // namespace

std::optional<double> cores_from_cpu_max(std::string_view text) {
  std::istringstream in{std::string(text)};
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<double> cgroup_cores() {
  std::optional<double> least;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/user.slice/x" (v2) or "4:cpu,cpuacct:/x" (v1).
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos)
      continue;
    const std::filesystem::path root =
        controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controllers;
    std::filesystem::path relative = std::filesystem::path(line.substr(second + 1)).relative_path();
    for (;;) {
      keep_least(least, quota_at(root / relative));
      if (relative.empty()) break;
      relative = relative.parent_path();
    }
  }
  return least;
}

std::vector<int> affinity_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

UsableCores usable_cores() {
  auto count = static_cast<std::int32_t>(affinity_cpus().size());
  if (count == 0)
    count = std::max(1, static_cast<std::int32_t>(std::thread::hardware_concurrency()));
  UsableCores usable{count, fmt::format("{} in the affinity mask", count)};
  const auto quota = cgroup_cores();
  if (quota && *quota < count) {
    usable.count = std::max(1, static_cast<std::int32_t>(std::floor(*quota)));
    usable.reason = fmt::format("cgroup quota of {:.4g} cores", *quota);
  }
  return usable;
}

}  // namespace fabricast
