// What GPUs of another generation do faster or slower than those of a machine's first nodes.
//
// A profile has one value per parameter, that of the first nodes' GPUs. For GPUs of another
// generation it is multiplied by the ratio of the inventory's priors (inventory_priors.cpp) of
// both: what was measured on one moves the other as well. Pure functions; UsageError for a
// generation without priors.
#pragma once

#include <set>
#include <string>

#include "emulator/cost/protocol.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// The other's over the first's.
struct GenerationRatios {
  double launch = 1;          // time
  double step = 1;            // time of a hand-off over NVLink, beyond the links' own latency
  double copy_bandwidth = 1;  // of one channel
  double efficiency = 1;      // of an NVLink port, under the protocol
  double in_switch = 1;       // of the same when the switch multicasts and reduces
};

// Of the GPUs at `other` (LinkClass::generation) to those at `first`, which is of the same kind and
// of the generation that `first_generation` names.
GenerationRatios generation_ratios(const std::string& first_generation, const LinkClass& first,
                                   const LinkClass& other, Protocol protocol);

// LinkClass::generation of the GPUs that have a rank; "": of the first nodes'. O(ranks).
std::set<std::string> generations_of_ranks(const Topology& topology);

// What the figures of GPUs of other generations rest on: a line that says so, and one for each
// parameter whose priors differ, with both, their sources and the ratio. Empty where all are of one
// generation.
std::string generation_note(const Topology& topology);

}  // namespace fabricast
