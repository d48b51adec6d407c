// The links of a flow network that people name: by name, or as the NIC of a rank.
//
// Of a trunk that the routing takes apart, the trunk's own name means all its uplinks and "NAME
// link 3" means one. Immutable; thread safe. O(links) per question.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/flow/flow_network.hpp"

namespace fabricast {

class LinkNames {
 public:
  LinkNames(std::shared_ptr<const Topology> topology, Routing routing)
      : network_(std::move(topology), routing, 0) {}

  // Not empty. Throws UsageError that shows what links are called.
  std::vector<std::uint32_t> named(const std::string& name) const;
  // Both directions of the NIC that a rank sends and receives through. Throws UsageError where no
  // route leaves the rank's domain.
  std::vector<std::uint32_t> nic_of(RankId rank) const;

 private:
  FlowNetwork network_;
};

}  // namespace fabricast
