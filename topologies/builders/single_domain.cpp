#include "topologies/builders/single_domain.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {

SingleDomain::SingleDomain(MachineSpec spec)
    : BuiltTopology(spec, RankSpace({static_cast<std::int32_t>(spec.domain.size.value)})) {
  FABRICAST_EXPECT(!this->spec().fabric, "a single domain has no fabric");
}

LinkClassId SingleDomain::link_class(LinkId link) const {
  FABRICAST_EXPECT(link.value() < links(), "link of this machine");
  return domain_link_class(link);
}

std::string SingleDomain::link_name(LinkId link) const {
  FABRICAST_EXPECT(link.value() < links(), "link of this machine");
  return domain_link_name(link);
}

Route SingleDomain::route(RankId a, RankId b) const {
  FABRICAST_EXPECT(a.value() < static_cast<std::uint32_t>(ranks()) &&
                       b.value() < static_cast<std::uint32_t>(ranks()),
                   "ranks of this machine");
  Route route;
  if (a == b) return route;
  add_domain_route(route, a.value(), b.value());
  return route;
}

}  // namespace fabricast
