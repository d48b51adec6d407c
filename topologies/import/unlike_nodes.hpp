// The key `others` of a machine file: nodes beside the first ones that are unlike them.
//
// For machine_yaml.cpp. What cannot be one machine is refused with the place in the file
// (UsageError).
#pragma once

#include "emulator/base/strict_yaml.hpp"
#include "topologies/model/machine_spec.hpp"

namespace fabricast {

// Rates are kept by kind of link, what a step takes is known by collective library, and racks have
// trays: these must be the same. `at`: the node.
void require_comparable(const YamlCursor& at, const MachineSpec& first, const MachineSpec& other);

// Ranks are numbered by their place in a domain: of nodes of several sizes, a domain becomes the
// part that they all have whole numbers of (DomainSpec::domains_per_node). Counts, given in nodes,
// become those of parts.
void divide_nodes(const YamlCursor& list, MachineSpec& spec);

// NICs of the others, as many per GPU as the first nodes have: those of the fabric unless they say
// otherwise. The fabric has been read.
void read_other_nics(const YamlCursor& list, MachineSpec& spec);

// Files say what a node draws, a specification what a domain does.
void divide_power(const DomainSpec& domain, CostSpec& cost);

}  // namespace fabricast
