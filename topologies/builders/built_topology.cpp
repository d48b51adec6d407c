#include "topologies/builders/built_topology.hpp"

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/builders/single_domain.hpp"

namespace fabricast {

LinkClass scale_up_class(const DomainSpec& domain) {
  LinkClass links{std::string(to_string(domain.kind)), domain.kind, *domain.bandwidth,
                  *domain.latency};
  if (domain.in_network_reduction) links.in_network_reduction = *domain.in_network_reduction;
  return links;
}

BuiltTopology::BuiltTopology(MachineSpec spec, RankSpace space) : spec_(std::move(spec)) {
  name_ = spec_.name;
  title_ = spec_.title;
  yaml_ = spec_.yaml;
  gpu_ = spec_.gpu;
  channels_ = spec_.channels;
  fabric_ = spec_.fabric ? spec_.fabric->name : "none";
  space_ = space;
  const auto& domain = spec_.domain;
  FABRICAST_EXPECT((space.domain_size() > 1) == (domain.bandwidth && domain.latency),
                   "several members of a domain are connected, a single one is not");
  if (space.domain_size() > 1) {
    direct_ = direct_links_of(domain);
    domain_classes_ = 1;
    if (direct_) {
      per_domain_ = static_cast<std::uint32_t>(direct_->links());
      domain_links_ = direct_->links() * space.domains();
      classes_ = direct_->classes();
      domain_classes_ = classes_.size();
      ring_orders_ = std::make_shared<const RingOrders>(direct_->ring_orders());
      return;
    }
    domain_links_ = 2 * static_cast<std::int64_t>(space.size());
    classes_.push_back(scale_up_class(domain));
  }
}

std::string BuiltTopology::domain_name(std::int64_t domain) const {
  return fmt::format("{} {}", spec_.domain.noun, domain);
}

std::int64_t BuiltTopology::pairs_on(LinkId link) const {
  if (!direct_ || link.value() >= domain_links_) return -1;
  return direct_->pairs_on(link.value() % per_domain_);
}

std::string BuiltTopology::domain_link_name(LinkId link) const {
  if (direct_) {
    return fmt::format("{} {}", domain_name(link.value() / per_domain_),
                       direct_->name(link.value() % per_domain_));
  }
  const std::int64_t rank = link.value() / 2;
  const std::int64_t member = rank % space_.domain_size();
  std::string tray;
  if (spec_.domain.members_per_tray > 0) {
    tray = fmt::format("tray {} ", member / spec_.domain.members_per_tray);
  }
  return fmt::format("{} {}{} {} {} {}", domain_name(rank / space_.domain_size()), tray,
                     spec_.domain.member, member, to_string(spec_.domain.kind),
                     link.value() % 2 == 0 ? "up" : "down");
}

std::shared_ptr<const BuiltTopology> build_topology(MachineSpec spec) {
  if (spec.fabric) return std::make_shared<const RailFatTree>(std::move(spec));
  return std::make_shared<const SingleDomain>(std::move(spec));
}

}  // namespace fabricast
