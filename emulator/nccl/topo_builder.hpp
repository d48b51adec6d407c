// Makes the nodes and links of a TopoGraph from a description. Used by TopoGraph's constructor
// only.
//
// Source: NCCL 2.28.9 src/graph/topo.cc.
#pragma once

#include "emulator/nccl/topo_graph.hpp"

namespace fabricast::nccl {

class TopoBuilder {
 public:
  TopoBuilder(TopoGraph& graph, bool with_nets) : graph_(graph), with_nets_(with_nets) {}
  void build(const SystemDescription& system);

 private:
  int create(NodeType type, std::int64_t id);
  int find(NodeType type, std::int64_t id) const;
  void connect(int from, int to, PathType type, float bw);
  void add_cpu(const CpuElement& element);
  void add_pci(const PciElement& element, int parent, const CpuElement& on);
  void add_nic_of_cpu(const PciElement& element, int cpu, const CpuElement& on);
  void add_net(const NetElement& net, int nic, int host);
  int cpu_above(int number, int from) const;
  void add_nvlinks(int gpu, const GpuElement& element, int host);
  void add_c2c(int gpu, const GpuElement& element);
  void add_direct_links(const PciElement& element, const CpuElement& on, int pass);
  void flatten(int number);
  void sort_links(int number, int up);

  TopoGraph& graph_;
  bool with_nets_;
};

}  // namespace fabricast::nccl
