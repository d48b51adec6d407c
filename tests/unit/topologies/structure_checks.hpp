// Machines of a given structure, and what holds on all of them.
#pragma once

#include <memory>
#include <string>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

using Machine = std::shared_ptr<const Topology>;

inline RankId rank(std::int64_t value) { return RankId::from(value); }
const BuiltTopology& built(const Machine& machine);

// A box of members with `gb_per_s` together; `shape` are further lines of its interconnect.
std::string domain_yaml(int members, double gb_per_s, const std::string& shape);

// Domains of `gpus`, each with a NIC of 10 GB/s, under a fabric of these keys.
Machine nested(int domains, int gpus, const std::string& fabric,
               const std::string& interconnect = "");

// The links of a route by name, each with a semicolon.
std::string names(const Topology& machine, std::int64_t a, std::int64_t b);

// Topology::pairs_on is what counting pair by pair gives, wherever it says anything.
void expect_pairs_in_closed_form(const Topology& machine);

}  // namespace fabricast
