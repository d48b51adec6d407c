// A topology that knows the specification it was built from, and the choice of builder.
//
// All builders share the scale-up links of their domains: every member has one link up to the
// domain's switch (or memory) and one down. LinkIds 0 .. 2 * ranks - 1 are those, rank by rank, up
// before down, when a domain has more than one member.
// Thread safety: const after construction.
#pragma once

#include <memory>
#include <string>

#include "topologies/model/machine_spec.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

class BuiltTopology : public Topology {
 public:
  const MachineSpec& spec() const { return spec_; }

 protected:
  BuiltTopology(MachineSpec spec, RankSpace space);

  std::int64_t domain_links() const { return domain_links_; }
  LinkId member_up(std::uint32_t rank) const { return LinkId(2 * rank); }
  LinkId member_down(std::uint32_t rank) const { return LinkId(2 * rank + 1); }
  // "rack 3 tray 4 gpu 17 nvlink up", for link < domain_links().
  std::string domain_link_name(LinkId link) const;
  // "rack 3", and only "gpu 17" when the machine is that single domain.
  std::string domain_name(std::int64_t domain) const;

 private:
  MachineSpec spec_;
  std::int64_t domain_links_ = 0;
};

// The builder that fits: one domain, or domains under a fabric. Expects a checked specification.
std::shared_ptr<const BuiltTopology> build_topology(MachineSpec spec);

}  // namespace fabricast
