// What the time model must know (time_shape.hpp), from a machine: its own figures and nothing else.
//
// Pure functions. GB/s = 1e9 B/s.
#pragma once

#include <string_view>

#include "emulator/nccl/time_shape.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

TimeGeneration time_generation_of(const GpuModel& gpu);
// By a fabric's name or that of its file: "infiniband", "infiniband-ndr".
TimeNetwork time_network_of(std::string_view fabric);

// All ranks of the machine, default launch, no registered buffers. UsageError where the machine was
// not built from a file.
TimeShape time_shape_of(const Topology& machine);

}  // namespace fabricast
