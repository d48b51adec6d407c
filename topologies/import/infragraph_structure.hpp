// What an InfraGraph says about a machine: which device is the node, how its accelerators meet, and
// what the switches between nodes are. Internal to topologies/import.
//
// Bandwidths in GB/s, latencies in us. UsageError where the graph is no such structure. All take
// n log n of n expanded edges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "topologies/import/infragraph.hpp"

namespace fabricast {

// The one device with accelerators; its instances in order are the nodes.
struct InfraNodes {
  const InfraGraph& graph;
  const std::string& file;
  const InfraDevice* device = nullptr;
  std::int32_t xpu = -1;  // the part of it that is the accelerators
  std::int64_t members = 0, count = 0;
  std::vector<std::int64_t> first;  // node of each instance; -1: it has none

  bool is_node(const InfraEnd& end) const {
    return first[static_cast<std::size_t>(end.owner)] >= 0;
  }
  [[noreturn]] void fail(const std::string& problem, const std::string& advice) const;
};

struct InfraScaleUp {
  double gb_per_s = 0;  // of one member, all its links; 0: the file does not say
  std::string shape = "switch", source;
  int links = 0, switches = 0;
  std::optional<double> latency_us;
  bool uneven = false;  // there is a mesh with more links between some two than between others
};

struct InfraNetwork {
  int nics = 0, rails = 1, tiers = 1, radix = 0;
  std::int64_t domains_per_leaf = 0;
  double nic_gb_per_s = 0;
  std::optional<double> oversubscription, core_oversubscription;  // none: no such uplinks
  std::optional<double> latency_us, hop_us;
  bool rail_only = false;
  std::string nic_link;
};

InfraNodes find_infra_nodes(const InfraGraph& graph, const std::string& file);
// The fastest way between all members: direct links of every two, or switches that all reach.
InfraScaleUp find_infra_scale_up(const InfraNodes& nodes);
// One switch, a tree of two or three layers of alike switches, or such a tree for each rail.
InfraNetwork find_infra_network(const InfraNodes& nodes);

}  // namespace fabricast
