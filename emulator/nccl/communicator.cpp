#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/graph_compute.hpp"
#include "emulator/nccl/topo_graph.hpp"
#include "emulator/nccl/tuner.hpp"

namespace fabricast::nccl {
namespace {

constexpr int max_local_ranks_of_collnet = 8;

// NVLS thread blocks: SM90 16; SM100 24 in one NVLink domain, 32 across nodes (2.26 on).
int nvls_blocks(const Communicator& of) {
  const int otherwise = of.min_capability < 100 || of.version < Version{2, 26, 0} ? 16
                        : of.nodes == 1                                           ? 24
                                                                                  : 32;
  const int least = of.overrides.min_channels.value_or(1);
  const int most = std::min(max_channels, of.overrides.max_channels.value_or(max_channels));
  return std::max(least, std::min(most, of.overrides.nvls_channels.value_or(otherwise)));
}

void search_graphs(Communicator& of, const TopoGraph& topology) {
  const auto search = [&](const GraphRequest& request) {
    return compute_graph(topology, request, of.version, of.overrides);
  };
  of.ring = search({Pattern::ring, 1, max_channels / 2});
  const int rings = of.ring.channels;
  of.tree = search({Pattern::balanced_tree, rings, rings});
  if (of.overrides.collnet_enable && of.nodes > 1) {
    of.collnet_chain = search({Pattern::tree, rings, rings, true});
    of.collnet_direct = search({Pattern::collnet_direct, 1, max_channels, true});
  }
  if (of.overrides.nvls_enable != 0) {
    of.nvls = search({Pattern::nvls, 1, max_channels});
  } else {
    of.nvls.pattern = Pattern::nvls;
  }
}

// Search channels to thread blocks.
void set_channels(Communicator& of) {
  const int searched = std::min(of.ring.channels, of.tree.channels);
  of.ring.channels = of.tree.channels = searched;
  int channels = std::min(max_channels, searched * 2);
  if (of.collnet_supported && of.collnet_chain.bw_intra > of.collnet_chain.bw_inter &&
      of.ranks > of.nodes) {
    channels = std::min(max_channels, channels + channels / 2);
  }
  if (of.min_capability >= 90 && of.nodes > 1 && of.ring.bw_intra > 45.0 && channels < 16) {
    channels = std::min(max_channels, channels * 2);
  }
  const int least = std::max(of.overrides.min_channels.value_or(0), 1);
  const int most = std::min(max_channels, of.overrides.max_channels.value_or(max_channels));
  channels = std::max(least, std::min(channels, most));
  of.coll_channels = channels;
  of.nvls_channels = of.nvls.channels > 0 ? nvls_blocks(of) : 0;
  of.total_channels = std::max(channels, of.nvls_supported ? of.nvls_channels : 0);
}

int power_of_two_above(int value) {
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(1, value))));
}

// Blocks for sends and receives, and how many of them one peer gets.
void set_p2p_channels(Communicator& of, const TopoGraph& topology) {
  int least = of.total_channels;
  const int gpus = topology.count(NodeType::gpu);
  for (int g = 0; g < gpus; ++g) {
    for (int peer = 0; peer < gpus; ++peer) {
      if (peer == g) continue;
      const auto& path = topology.path(topology.node(NodeType::gpu, peer), NodeType::gpu, g);
      const float link = topology.nvlink_bw(topology.node(NodeType::gpu, g).capability);
      const int wide =
          path.type == PathType::nvl ? 2 * std::max(1, static_cast<int>(path.bw / link)) : 2;
      least = std::min(least, wide);
    }
    if (of.nodes > 1) {
      int far = 2;
      while (std::int64_t{far} * of.ranks > std::int64_t{of.total_channels} * 4 && far > 1)
        far /= 2;
      least = std::min(least, std::max(topology.nets_by_bandwidth(g), far));
    }
  }
  of.p2p_channels = power_of_two_above(of.total_channels);
  of.p2p_channels_per_peer = std::min(power_of_two_above(least), of.p2p_channels);
}

bool all_direct_nvlink(const TopoGraph& topology) {
  const int gpus = topology.count(NodeType::gpu);
  for (int g = 0; g < gpus; ++g) {
    for (int peer = 0; peer < g; ++peer) {
      const auto& path = topology.path(topology.node(NodeType::gpu, peer), NodeType::gpu, g);
      if (path.type != PathType::nvl) return false;
    }
  }
  return true;
}

}  // namespace

const Graph& Communicator::graph_of(Algorithm algorithm) const {
  switch (algorithm) {
    case Algorithm::ring:
      return ring;
    case Algorithm::collnet_direct:
      return collnet_direct;
    case Algorithm::collnet_chain:
      return collnet_chain;
    case Algorithm::nvls:
    case Algorithm::nvls_tree:
      return nvls;
    case Algorithm::tree:
    case Algorithm::pat:
      break;
  }
  return tree;
}

Communicator make_communicator(const System& system, int nodes, const Version& version,
                               const Overrides& overrides) {
  const auto& description = *system.description;
  if (nodes < 1 || nodes > (1 << 24) / description.gpus) {
    throw UsageError(fmt::format("{}: {} nodes: give 1 to {}", description.name, nodes,
                                 (1 << 24) / description.gpus));
  }
  Communicator of;
  of.version = version;
  of.overrides = overrides;
  of.nodes = nodes;
  of.ranks_per_node = description.gpus;
  of.ranks = nodes * description.gpus;
  of.min_capability = description.min_capability;
  of.max_capability = description.max_capability;
  const auto& cpu = description.cpus.front();
  of.amd_cpu = cpu.arch == CpuArch::x86 && cpu.vendor == CpuVendor::amd;
  of.intel_cpu = cpu.arch == CpuArch::x86 && cpu.vendor == CpuVendor::intel;
  of.arm_cpu = cpu.arch == CpuArch::arm;
  of.mnnvl = description.hosts > 1;
  const TopoGraph topology(description, nodes > 1, version, overrides);
  try {
    search_graphs(of, topology);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", description.name, error.what()));
  }
  of.raw_ring_channels = of.ring.channels;
  of.raw_tree_channels = of.tree.channels;
  of.collnet_supported =
      overrides.collnet_enable && nodes > 1 && nodes >= overrides.collnet_node_threshold &&
      of.collnet_chain.channels > 0 && of.ranks_per_node <= max_local_ranks_of_collnet;
  of.nvls_supported = of.nvls.channels > 0 && of.ranks_per_node > 2;  // ncclNvlsInit
  set_channels(of);
  set_p2p_channels(of, topology);
  of.all_direct_nvlink = all_direct_nvlink(topology);
  TunerMachine machine;
  machine.nvswitch = topology.count(NodeType::nvs) > 0;
  machine.power_cpu = cpu.arch == CpuArch::power;
  fill_tuner(of, machine);
  return of;
}

}  // namespace fabricast::nccl
