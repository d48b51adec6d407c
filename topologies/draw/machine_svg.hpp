// A machine as a picture for a design review: its node or rack, one group of leaves, the whole.
//
// Every box is counted and every link class carries its rate; what repeats is drawn a few times and
// said how often it is there. Deterministic. Pure function, O(1) in the machine's size.
#pragma once

#include <string>

#include "topologies/model/topology.hpp"

namespace fabricast {

std::string machine_svg(const Topology& machine);

}  // namespace fabricast
