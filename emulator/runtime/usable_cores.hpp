// How many cores this process may really use: affinity mask and cgroup CPU quota.
//
// A thread that is descheduled in the middle of a collective makes a time meaningless, so executors
// refuse to time more lanes than this. Read once per call from the kernel; thread safe.
// Sources: sched_getaffinity(2); cpu.max of cgroup v2 and cpu.cfs_quota_us of v1 (kernel
// documentation, admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct UsableCores {
  std::int32_t count = 1;
  std::string reason;  // "2 in the affinity mask", "cgroup quota of 1.5 cores"
};
UsableCores usable_cores();

// The CPU numbers of the affinity mask, ascending.
std::vector<int> affinity_cpus();

// Cores granted by a cpu.max text ("150000 100000" -> 1.5); empty for "max" and for nonsense.
std::optional<double> cores_from_cpu_max(std::string_view text);

// The least quota of this process's cgroup and its ancestors; empty if there is none.
std::optional<double> cgroup_cores();

}  // namespace fabricast
