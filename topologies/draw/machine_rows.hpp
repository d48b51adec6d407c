// Which rows of boxes a machine is drawn as: its network, one group of leaves, its node or rack.
//
// Empty where a machine has no such level. Pure functions, O(1) in the machine's size.
#pragma once

#include <vector>

#include "topologies/builders/built_topology.hpp"
#include "topologies/draw/picture_rows.hpp"

namespace fabricast {

std::vector<PictureRow> network_rows(const BuiltTopology& machine);
std::vector<PictureRow> group_rows(const BuiltTopology& machine);
// Without the links of a torus, which torus_picture.hpp draws.
std::vector<PictureRow> node_rows(const BuiltTopology& machine);

}  // namespace fabricast
