// Computes the paths of a TopoGraph. Used by TopoGraph's constructor only.
//
// Source: NCCL 2.28.9 src/graph/paths.cc.
#pragma once

#include "emulator/nccl/topo_graph.hpp"

namespace fabricast::nccl {

class TopoPaths {
 public:
  TopoPaths(TopoGraph& graph, const Version& version, const Overrides& overrides)
      : graph_(graph),
        overrides_(overrides),
        pxn_c2c_(overrides.pxn_c2c.value_or(version >= Version{2, 28, 0})) {}
  void compute();

 private:
  TopoPath& at(const TopoNode& from, NodeType base, int index);
  const TopoNode& gpu(int index) const { return graph_.node(NodeType::gpu, index); }
  // Paths of all nodes to this one, breadth first.
  void reach_from(int base);
  void improve(int number, int link, int base, std::vector<int>& next);
  void through(NodeType via, int via_index, NodeType from, int from_index, NodeType to,
               int to_index);
  int nearest_cpu(int gpu_index) const;
  bool peer_to_peer(int from, int to) const;
  void avoid_peer_to_peer();
  void mark_c2c_to_nic();
  void use_relay_gpu(int net, int gpu_index);
  bool direct_rdma(int net, int gpu_index) const;
  int relay_of(int gpu_index, int net) const;
  int preferred_gpu(int net) const;
  void check_reachable() const;
  void count_work(std::size_t steps) const;

  TopoGraph& graph_;
  const Overrides& overrides_;
  const bool pxn_c2c_;
  mutable std::size_t work_ = 0;
};

}  // namespace fabricast::nccl
