// How the nodes of an InfraGraph hang on its switches. Internal to topologies/import.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "topologies/import/infragraph_structure.hpp"

namespace fabricast {

using InfraSwitch = std::pair<std::int32_t, std::int32_t>;  // instance, index

inline InfraSwitch switch_of(const InfraEnd& end) { return {end.owner, end.owner_index}; }

struct InfraLeaves {
  std::vector<InfraSwitch> switches;      // all, sorted; a switch's number is its place
  std::vector<std::size_t> leaf;          // number of the leaf of each group and rail
  std::vector<const InfraEdge*> between;  // the cables between switches

  std::size_t number_of(const InfraSwitch& one) const;
};

// Fills what `network` says about NICs, rails and leaves. UsageError unless every node has the same
// ports, and groups of consecutive nodes are under one leaf per rail.
InfraLeaves find_infra_leaves(const InfraNodes& nodes, InfraNetwork& network);

// A link with its bandwidth: UsageError without.
const InfraLink& link_of(const InfraNodes& nodes, const InfraEdge& edge);
// The ports of a switch.
int ports_of(const InfraGraph& graph, const InfraSwitch& one);

}  // namespace fabricast
