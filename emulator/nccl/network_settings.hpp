// NCCL variables that come with a network: its plugin sets them in every process, or the cloud's
// guide tells everyone to. What a user sets goes first.
//
// aws-ofi-nccl sets NCCL_PROTO=simple where the adapter does not keep 128 bytes of a write in
// order: the first EFA (P3dn, P4), not the ones of Hopper and later (aws/aws-ofi-nccl pull requests
// 280, 516 and 625). Google's guides for GPUDirect-TCPX and TCPXO set NCCL_PROTO=Simple and
// NCCL_NVLS_ENABLE=0.
#pragma once

#include <map>
#include <string>

#include "emulator/nccl/overrides.hpp"
#include "emulator/nccl/time_shape.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast::nccl {

// Of a job on several nodes; empty for one. The generation tells EFA's version.
std::map<std::string, std::string> network_settings(TimeNetwork network, TimeGeneration generation,
                                                    int nodes);

// Assigns those that are not set, and names them in `from_network`.
void add_network_settings(Overrides& overrides, const Topology& machine, int nodes);

}  // namespace fabricast::nccl
