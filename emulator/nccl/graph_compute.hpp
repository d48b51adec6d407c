// The best graph of a pattern: the attempts of GraphSearch, from strict and fast to lax and slow.
//
// Source: NCCL 2.28.9 src/graph/search.cc (ncclTopoCompute).
#pragma once

#include "emulator/nccl/graph.hpp"
#include "emulator/nccl/overrides.hpp"
#include "emulator/nccl/topo_graph.hpp"

namespace fabricast::nccl {

struct GraphRequest {
  Pattern pattern = Pattern::ring;
  int min_channels = 1, max_channels = 1;
  bool collective_net = false;  // SHARP: only NICs that reduce
};

// Never fails: where nothing is found, rings and trees fall back to one channel of 0.1 GB/s in
// rank order, the others have no channel. UsageError as GraphSearch.
Graph compute_graph(const TopoGraph& topology, const GraphRequest& request, const Version& version,
                    const Overrides& overrides);

}  // namespace fabricast::nccl
