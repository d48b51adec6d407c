// Which rows of boxes a machine is drawn as: its network, one group of leaves, its node or rack.
//
// Empty where a machine has no such level. Pure functions, O(1) in the machine's size.
#pragma once

#include <string>
#include <vector>

#include "topologies/builders/built_topology.hpp"
#include "topologies/draw/picture_rows.hpp"

namespace fabricast {

// What a member of the domain is called in a picture: "GPU", "chip" where the vendor makes no GPUs
// (TPU, Trainium, Gaudi, Ascend), "lane".
std::string member_noun(const MachineSpec& spec);

std::vector<PictureRow> network_rows(const BuiltTopology& machine);
std::vector<PictureRow> group_rows(const BuiltTopology& machine);
// Of a domain of the first kind, or of `part`. Without the links of a torus, which
// torus_picture.hpp draws.
std::vector<PictureRow> node_rows(const BuiltTopology& machine, const DomainPart* part = nullptr);

}  // namespace fabricast
