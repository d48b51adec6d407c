// What the shape of a machine alone decides: how far apart ranks are, and what crosses its middle.
//
// Bisection: one way, between two halves of the ranks of whole domains (of members, where there is
// one domain), at the level that lets least through; trunks count as fully populated. Formulas: a
// switch or a level of a tree lets half of its links through; direct links as full_mesh.hpp and
// torus.hpp say; of g groups of a dragonfly with G out of each, g/2 * g/2 / (g - 1) * G, because
// the links of a group lead to all others alike (J. Kim et al., ISCA 2008). Diameter: links and
// latency of the longest route. Every structure looks the same from each rank, or farthest from
// rank 0 (a line), so its routes are looked at. O(ranks) time.
#pragma once

#include <string>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

struct Structure {
  int diameter_links = 0;
  double diameter_us = 0;
  double bisection_gb_per_s = 0;  // 0: one rank
  std::string bisection_level;    // link class, or "nvlink" of a domain
};

Structure structure_of(const BuiltTopology& machine);

}  // namespace fabricast
