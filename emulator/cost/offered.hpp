// Which algorithms a machine and an executor have, beyond what the shape of the ranks decides
// (schedule/catalogue.hpp).
//
// Algorithms through a switch need one that reduces (LinkClass::in_network_reduction) under NCCL;
// the other executors send the same messages point to point, and are predicted so
// (schedule/lowered.hpp).
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "emulator/cost/protocol.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/schedule/collective.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Does a link class of the machine lead to a switch that multicasts and reduces?
bool reduces_in_switch(const Topology& topology);
// Do the switches of its network between domains add up what passes them (SHARP)? Those of
// InfiniBand do (NVIDIA Quantum and Switch-IB 2 data sheets); no others are known to.
bool reduces_in_network(const Topology& topology);

// Why an executor cannot run on a machine at all, whatever the algorithm; empty: it can. Kernels in
// CUDA (cuda, peers) need NVIDIA's GPUs, and peers one domain.
std::string why_no_executor(const Topology& topology, ExecutorKind executor);
// Empty if it can be predicted, else the reason. The algorithm must exist for the collective.
std::string why_not_offered(const Topology& topology, ExecutorKind executor, Collective collective,
                            const std::string& algorithm);
// Why an executor cannot use a protocol on a machine; empty: it can. Of peers only: LL128 needs
// links that keep its lines whole between all pairs (NVLink), multimem a switch that reduces.
std::string why_no_protocol(const Topology& topology, ExecutorKind executor, Protocol protocol);
// protocols_of(), less those.
std::vector<Protocol> offered_protocols(const Topology& topology, ExecutorKind executor,
                                        Collective collective, const std::string& algorithm);
// Algorithms of a collective that can be predicted, in the order of the catalogue.
std::vector<std::string> offered_algorithms(const Topology& topology, ExecutorKind executor,
                                            Collective collective);

// Channels where nobody says another number, for a message that needs them all: the machine's,
// which are NCCL's; in a switch that NCCL's kernels for it take; between GPUs one, as measure runs
// them.
std::int32_t usual_channels(const Topology& topology, ExecutorKind executor,
                            const std::string& algorithm);

// Does NCCL run it on buffers in symmetric windows only (its kernels of 2.27, nccl.md 1.7)? Then it
// takes one of these kernels without comparing them with the other algorithms.
bool needs_windows(Collective collective, const std::string& algorithm);

// Would NCCL itself take this algorithm here, if it were the fastest? It has ring, tree and its
// rounds of point-to-point messages everywhere, NVLS inside one domain and NVLSTree across several,
// PAT with one rank per domain, and only where it is told to (NCCL_COLLNET_ENABLE) those that
// reduce in the network; those that need windows are left out here, and the others are ours (NCCL
// v2.28.9-1 src/graph/tuning.cc, src/enqueue.cc).
bool library_has(const Topology& topology, Collective collective, const std::string& algorithm);

}  // namespace fabricast
