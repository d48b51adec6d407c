// What is true of every route of every machine, checked from names and classes alone.
#pragma once

#include <gtest/gtest.h>

#include "topologies/model/topology.hpp"

namespace fabricast {

// route(a, b): links valid and all different, up before down, the kinds mirrored, first and last
// link those of a and b, and route(b, a) over the same trunks in the other direction.
void expect_sound_route(const Topology& machine, RankId a, RankId b);

// Every LinkId in [0, links()) has a class, and no two links share a name.
void expect_dense_links(const Topology& machine);

}  // namespace fabricast
