// Is a machine the one that a profile was made on? Names alone do not tell: files are edited.
//
// Machines are compared by what the model takes from them: ranks, domains, processor, fabric,
// channels and every link class with its figures. Titles, comments and sources may differ, because
// a machine that is discovered twice is still the same. Pure function; O(link classes).
#pragma once

#include <string>

#include "topologies/model/topology.hpp"

namespace fabricast {

// The first figure in which they differ, such as "nvlink bandwidth 900 GB/s and 450 GB/s"; empty
// when they are the same machine.
std::string machine_difference(const Topology& a, const Topology& b);

}  // namespace fabricast
