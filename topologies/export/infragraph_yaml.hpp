// A machine as InfraGraph 2 (Keysight/infragraph): the node and the switches as devices, how many
// there are as instances, the cables as edges.
//
// The switches are those of the fabric's shape: a leaf per group and rail, as many spines as a leaf
// has uplinks, cores above; several uplinks that one line stands for are written out. What
// InfraGraph has no place for (ratings, origins, prices, planes, sites) is left out; UsageError for
// what it cannot say: dragonflies, sites. import/infragraph.hpp reads it back. Linear in nodes and
// switches.
#pragma once

#include <string>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

std::string to_infragraph(const BuiltTopology& machine);

}  // namespace fabricast
