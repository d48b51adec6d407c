// The machine that a published table was measured on, from the table's own columns.
//
// The GPU's name and link text choose the node or rack type, the network's words the fabric type,
// port rates and counts are set on them, and the scale is that of the table. What a text leaves
// open is chosen and named in `assumptions`. Nothing is matched by source, file or operator.
// Thread safety: reads the shipped machine files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "topologies/match/system_columns.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct MachineMatch {
  std::shared_ptr<const Topology> machine;  // null when unknown
  std::string reason;                       // why it is null
  std::string node, fabric;                 // types that were chosen; fabric may be empty
  // "nccl", or what runs instead on it ("rccl"): such a machine is loadable, its library is not
  // modeled.
  std::string library;
  std::vector<std::string> assumptions;
};

MachineMatch match_machine(const SystemColumns& columns);

// Whose collective library runs on GPUs of that vendor.
std::string library_of_vendor(const std::string& vendor);

}  // namespace fabricast
