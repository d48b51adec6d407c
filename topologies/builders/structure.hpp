// What the shape of a machine alone decides: how far apart ranks are, and what crosses its middle.
//
// Bisection: one way, between the first half of the domains and the others (of members, where there
// is one domain; the smaller half of an odd number, or the larger where less leaves it), at the
// level that lets least through. Formulas: out of a half go the links of the units of a level that
// are all in it, and of the rest of a unit what is least at a level below; direct links as
// full_mesh.hpp and torus.hpp say; of g groups of a dragonfly with G out of each, floor(g/2) *
// ceil(g/2) / (g - 1) * G, because the links of a group lead to all others alike (J. Kim et al.,
// ISCA 2008). Diameter: links and
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
