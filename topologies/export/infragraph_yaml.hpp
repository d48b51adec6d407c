// A machine as InfraGraph 2 (Keysight/infragraph): the node and the switches as devices, how many
// there are as instances, the cables as edges.
//
// The switches are those of the fabric's shape: a leaf per group and rail, as many spines as a leaf
// has uplinks, cores above, all of these for each rail where rails are apart; several uplinks that
// one line stands for are written out. What InfraGraph has no place for (ratings, origins, prices,
// planes) is left out; UsageError for what it cannot say: dragonflies, sites, and boxes of a shape
// whose links the machine file does not list (cube_mesh, all_to_all). import/infragraph.hpp reads
// it back, but for a torus. Linear in nodes and switches, and in the square of a torus' members.
#pragma once

#include <string>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

std::string to_infragraph(const BuiltTopology& machine);

}  // namespace fabricast
