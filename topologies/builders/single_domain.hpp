// One scale-up domain: an HGX box, an NVL rack, or the cores of a host (single_node, nvl_rack,
// host).
//
//        switch (NVSwitch layer, PCIe, or memory)
//        up |  ^ down of every member
//   route(a, b) = up of a, down of b: two links, whatever the size.
// Or links between the members themselves: a full mesh, a torus (direct_links.hpp).
//
// The NVSwitch chips of a rack are one switch here: every GPU has one link to each chip, so its
// links together are one pipe. Ranks = {members}. Complexity: O(hops).
#pragma once

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

class SingleDomain final : public BuiltTopology {
 public:
  explicit SingleDomain(MachineSpec spec);

  std::int64_t links() const override { return domain_links(); }
  LinkClassId link_class(LinkId link) const override;
  std::string link_name(LinkId link) const override;
  Route route(RankId a, RankId b) const override;
};

}  // namespace fabricast
