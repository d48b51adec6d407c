// The host part of discover: /proc, /sys, affinity and cgroups.
#pragma once

#include <filesystem>

#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// Fills everything but the GPUs. `root` is prepended to every path.
LocalMachine probe_host(const std::filesystem::path& root);

// "32768K" (a cache in /sys) to bytes; 0 when it is none.
std::int64_t parse_cache_size(std::string_view text);

// CPUs that cgroup v2 `cpu.max` ("200000 100000", "max 100000") grants, rounded up; 0: no limit.
std::int32_t parse_cpu_quota(std::string_view text);

// Bandwidth of an RDMA port, "400 Gb/sec (4X NDR)", in Gbit/s; 0 when unreadable.
double parse_port_rate(std::string_view text);

}  // namespace fabricast
