// fabricast machine show: every number of a machine with origin and source, what its structure
// bounds, its power and price, and the route between two ranks with the bounds on it.
#pragma once

#include <cstdint>
#include <memory>

#include "topologies/model/topology.hpp"

namespace fabricast {

struct ShownRoute {
  std::int32_t from = -1, to = -1;  // -1: not asked for
};

void show_machine(const Topology& machine, const ShownRoute& route);

}  // namespace fabricast
