#include "topologies/builders/rail_fat_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// A number derived from others is no better founded than the worst of them.
Origin weakest(Origin a, Origin b) { return std::max(a, b); }

Sourced halved(const Sourced& whole) {
  return {whole.value / 2, whole.unit, whole.origin,
          fmt::format("half of {} {} end to end: {}", whole.value, whole.unit, whole.source)};
}

Sourced trunk(const Sourced& member, std::int64_t members, const Sourced& oversubscription,
              std::string_view what) {
  return {member.value * static_cast<double>(members) / oversubscription.value, member.unit,
          weakest(member.origin, oversubscription.origin),
          fmt::format("{} {} x {:.10g} {} / oversubscription {:.10g} ({}; {})", members, what,
                      member.value, member.unit, oversubscription.value, member.source,
                      oversubscription.source)};
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

RailFatTree::RailFatTree(MachineSpec checked)
    : BuiltTopology(checked, RankSpace({static_cast<std::int32_t>(checked.domain.size.value),
                                        static_cast<std::int32_t>(checked.domains.value)})) {
  const FabricSpec& fabric = *spec().fabric;
  FABRICAST_EXPECT(fabric.tiers >= 1 && fabric.tiers <= 3, "one to three tiers");
  FABRICAST_EXPECT(space().domain_size() % fabric.nics == 0, "members share the NICs evenly");
  FABRICAST_EXPECT(fabric.nics % fabric.rails == 0, "every rail has as many NICs of a domain");
  members_ = static_cast<std::uint32_t>(space().domain_size());
  nics_per_domain_ = static_cast<std::uint32_t>(fabric.nics);
  rails_ = static_cast<std::uint32_t>(fabric.rails);
  domains_per_leaf_ = static_cast<std::uint32_t>(fabric.domains_per_leaf);
  groups_per_pod_ = static_cast<std::uint32_t>(fabric.groups_per_pod);
  tiers_ = static_cast<std::uint32_t>(fabric.tiers);
  rail_only_ = fabric.kind == "rail_only";
  dragonfly_ = fabric.kind == "dragonfly";

  const std::int64_t domains = space().domains();
  const std::int64_t per_site = fabric.sites > 1 ? fabric.domains_per_site : domains;
  const std::int64_t groups = ceil_div(per_site, fabric.domains_per_leaf);
  const std::int64_t pods = fabric.tiers == 3 ? ceil_div(groups, fabric.groups_per_pod) : 0;
  // A part of the machine may end before its last site.
  const std::int64_t sites = ceil_div(domains, per_site);
  FABRICAST_EXPECT(sites == 1 || fabric.tiers >= 2, "sites are joined above a spine");
  sites_ = static_cast<std::uint32_t>(sites);
  domains_per_site_ = static_cast<std::uint32_t>(per_site);
  groups_per_site_ = static_cast<std::uint32_t>(groups);
  pods_per_site_ = static_cast<std::uint32_t>(pods);
  const std::int64_t leaf_count = fabric.tiers >= 2 ? sites * groups * fabric.rails : 0;
  const std::int64_t pod_count = sites * pods;
  first_nic_ = domain_links();
  first_leaf_ = first_nic_ + 2 * domains * fabric.nics;
  first_pod_ = first_leaf_ + 2 * leaf_count;
  first_site_ = first_pod_ + 2 * pod_count;
  end_ = first_site_ + (sites > 1 ? 2 * sites : 0);
  if (dragonfly_) {
    add_dragonfly_classes();
  } else {
    add_fabric_classes();
  }
  add_kinds();
  if (rail_only_) count_domain_pairs();
}

// A class of its own only for what differs from all domains before.
void RailFatTree::add_kinds() {
  divided_ = spec().has_parts_of_nodes();
  const auto class_of = [this](LinkClass wanted, int part) {
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      const LinkClass& known = classes_[c];
      if (known.kind == wanted.kind && known.bandwidth.value == wanted.bandwidth.value &&
          known.latency.value == wanted.latency.value && known.generation == wanted.generation &&
          known.in_network_reduction.value == wanted.in_network_reduction.value) {
        return LinkClassId::from(static_cast<std::int64_t>(c));
      }
    }
    if (classes_.size() == max_link_classes) {
      throw UsageError(
          fmt::format("{}: others[{}]: its {} would be a ninth kind of link, and {} are told "
                      "apart; give some of "
                      "the others the same figures, or two machines",
                      name_, part - 2, to_string(wanted.kind), max_link_classes));
    }
    wanted.name = fmt::format("{}_{}", wanted.name, part);
    classes_.push_back(std::move(wanted));
    return LinkClassId::from(static_cast<std::int64_t>(classes_.size()) - 1);
  };
  const auto domains_per_node = [](const DomainSpec& domain) {
    return static_cast<std::uint32_t>(domain.domains_per_node);
  };
  domain_kinds_.push_back({0, 0, LinkClassId(0),
                           LinkClassId(static_cast<std::uint32_t>(domain_classes())),
                           domains_per_node(spec().domain)});
  auto first = static_cast<std::uint32_t>(spec().first_domains());
  int part = 1;
  for (const DomainPart& others : spec().others) {
    DomainKind kind{first, 0, LinkClassId(0), LinkClassId(0), domains_per_node(others.domain)};
    first += static_cast<std::uint32_t>(others.domains.value);
    ++part;
    const std::string generation =
        others.gpu.generation == spec().gpu.generation ? "" : others.gpu.generation;
    const auto link = [&](LinkClass wanted) {
      wanted.generation = generation;
      return class_of(std::move(wanted), part);
    };
    if (members_ > 1) kind.scale_up = link(scale_up_class(others.domain));
    kind.nic = link({"nic", LinkKind::nic, others.nic_bandwidth, halved(others.nic_latency)});
    const auto same =
        std::find_if(domain_kinds_.begin(), domain_kinds_.end(), [&kind](const DomainKind& known) {
          return known.scale_up == kind.scale_up && known.nic == kind.nic;
        });
    kind.kind = same == domain_kinds_.end() ? kinds_++ : same->kind;
    domain_kinds_.push_back(kind);
  }
}

void RailFatTree::add_dragonfly_classes() {
  const FabricSpec& fabric = *spec().fabric;
  Sourced half = *fabric.hop_latency;
  half.value /= 2;
  half.source = fmt::format("half a switch hop: {}", half.source);
  classes_.push_back({"nic", LinkKind::nic, fabric.nic_bandwidth, halved(fabric.nic_latency)});
  classes_.push_back({"leaf_uplink", LinkKind::leaf_uplink, *fabric.local_bandwidth, half});
  classes_.push_back(
      {"spine_uplink", LinkKind::spine_uplink, *fabric.global_bandwidth, *fabric.hop_latency});
}

// Pairs of all ranks over each link of one domain, all of which are alike: those within it, and
// for every other domain as many, but for those on one rail.
void RailFatTree::count_domain_pairs() {
  const std::int64_t domains = space().domains();
  const DirectLinks* direct = direct_links();
  if (direct == nullptr) {
    const std::int64_t members = members_, on_rail = members / rails_;
    domain_pairs_.assign(static_cast<std::size_t>(2 * members),
                         domains * (members - 1) - (domains - 1) * (on_rail - 1));
    return;
  }
  domain_pairs_.resize(static_cast<std::size_t>(direct->links()));
  for (std::size_t link = 0; link < domain_pairs_.size(); ++link) {
    domain_pairs_[link] = domains * direct->pairs_on(static_cast<std::int64_t>(link));
  }
  std::vector<std::vector<std::uint32_t>> rails(rails_);
  for (std::uint32_t a = 0; a < members_; ++a) {
    rails[a * nics_per_domain_ / members_ % rails_].push_back(a);
  }
  for (const auto& rail : rails) {
    for (const std::uint32_t a : rail) {
      for (const std::uint32_t b : rail) {
        if (a == b) continue;
        Route route;
        direct->add_route(route, 0, a, b);
        for (const LinkId link : route.span()) domain_pairs_[link.value()] -= domains - 1;
      }
    }
  }
}

// Of rail_only, where a route does not only climb and descend: sources below the link times
// destinations elsewhere.
std::int64_t RailFatTree::pairs_on(LinkId link) const {
  if (!rail_only_) return BuiltTopology::pairs_on(link);
  const std::int64_t id = link.value(), domains = space().domains();
  if (id < first_nic_) return domain_pairs_[static_cast<std::size_t>(id) % domain_pairs_.size()];
  if (id < first_leaf_) return (domains - 1) * members_ * members_ / nics_per_domain_;
  const auto over = [&](std::int64_t first, std::int64_t size) {
    const std::int64_t below = std::min(size, domains - first);
    return below * members_ * (domains - below) * members_;
  };
  if (id < first_pod_) {
    const std::int64_t group = (id - first_leaf_) / 2 / rails_;
    return over(group * domains_per_leaf_, domains_per_leaf_) / rails_;
  }
  const std::int64_t size = std::int64_t{groups_per_pod_} * domains_per_leaf_;
  return over((id - first_pod_) / 2 * size, size);
}

void RailFatTree::add_fabric_classes() {
  const FabricSpec& fabric = *spec().fabric;
  classes_.push_back({"nic", LinkKind::nic, fabric.nic_bandwidth, halved(fabric.nic_latency)});
  if (fabric.tiers >= 2) {
    classes_.push_back(
        {"leaf_uplink", LinkKind::leaf_uplink,
         trunk(fabric.nic_bandwidth,
               static_cast<std::int64_t>(fabric.domains_per_leaf) * fabric.nics / fabric.rails,
               *fabric.oversubscription, "NICs"),
         *fabric.hop_latency});
  }
  if (fabric.tiers == 3) {
    classes_.push_back({"spine_uplink", LinkKind::spine_uplink,
                        trunk(classes_.back().bandwidth,
                              static_cast<std::int64_t>(fabric.groups_per_pod) * fabric.rails,
                              *fabric.core_oversubscription, "leaf trunks"),
                        *fabric.hop_latency});
  }
  if (sites_ > 1) {
    classes_.push_back({"site_uplink", LinkKind::spine_uplink, *fabric.site_bandwidth,
                        halved(*fabric.site_latency)});
  }
}

LinkClassId RailFatTree::link_class(LinkId link) const {
  const std::int64_t id = link.value();
  FABRICAST_EXPECT(id < end_, "link of this machine");
  const auto nic_class = static_cast<std::uint32_t>(domain_classes());
  if (id < first_nic_) {
    if (kinds_ == 1) return domain_link_class(link);
    return kind_of_domain(static_cast<std::uint32_t>(id / 2) / members_).scale_up;
  }
  if (id < first_leaf_) {
    if (kinds_ == 1) return LinkClassId(nic_class);
    return kind_of_domain(static_cast<std::uint32_t>(id - first_nic_) / 2 / nics_per_domain_).nic;
  }
  if (id < first_pod_) return LinkClassId(nic_class + 1);
  return LinkClassId(id < first_site_ || tiers_ < 3 ? nic_class + 2 : nic_class + 3);
}

std::string RailFatTree::link_name(LinkId link) const {
  const std::int64_t id = link.value();
  FABRICAST_EXPECT(id < end_, "link of this machine");
  if (id < first_nic_) return domain_link_name(link);
  // Every block starts at an even id, so parity tells the direction in all of them.
  const std::string_view direction = id % 2 == 0 ? "up" : "down";
  if (id < first_leaf_) {
    const std::int64_t nic = (id - first_nic_) / 2;
    return fmt::format("{} nic {} {}", domain_name(nic / nics_per_domain_), nic % nics_per_domain_,
                       direction);
  }
  if (id < first_pod_) {
    const std::int64_t leaf = (id - first_leaf_) / 2;
    if (dragonfly_) {
      const std::int64_t routers = std::int64_t{groups_per_pod_} * rails_;
      return fmt::format("group {} router {} local trunk {}", leaf / routers, leaf % routers,
                         direction);
    }
    return fmt::format("group {} rail {} leaf trunk {}", leaf / rails_, leaf % rails_, direction);
  }
  if (id >= first_site_) {
    return fmt::format("site {} way {}", (id - first_site_) / 2, direction);
  }
  return fmt::format("{} {} {} trunk {}", dragonfly_ ? "group" : "pod", (id - first_pod_) / 2,
                     dragonfly_ ? "global" : "spine", direction);
}

std::int64_t RailFatTree::leaf_of(RankId rank) const {
  if (tiers_ == 1) return 0;
  const std::uint32_t domain = rank.value() / members_;
  const std::uint32_t nic = rank.value() % members_ * nics_per_domain_ / members_;
  return group_of(domain) * rails_ + nic % rails_;
}

// From the spine above one leaf group to the spine above another.
void RailFatTree::add_top(Route& route, std::uint32_t group_a, std::uint32_t group_b) const {
  if (sites_ == 1 && tiers_ < 3) return;
  const std::uint32_t pod_a = pod_of(group_a), pod_b = pod_of(group_b);
  if (pod_a == pod_b) return;
  const auto pod = static_cast<std::uint32_t>(first_pod_);
  const auto site = static_cast<std::uint32_t>(first_site_);
  const std::uint32_t site_a = site_of_group(group_a), site_b = site_of_group(group_b);
  if (tiers_ == 3) route.add(LinkId(pod + 2 * pod_a));
  if (site_a != site_b) {
    route.add(LinkId(site + 2 * site_a));
    route.add(LinkId(site + 2 * site_b + 1));
  }
  if (tiers_ == 3) route.add(LinkId(pod + 2 * pod_b + 1));
}

Route RailFatTree::route(RankId a, RankId b) const {
  FABRICAST_EXPECT(a.value() < static_cast<std::uint32_t>(ranks()) &&
                       b.value() < static_cast<std::uint32_t>(ranks()),
                   "ranks of this machine");
  Route route;
  if (a == b) return route;
  const std::uint32_t domain_a = a.value() / members_;
  const std::uint32_t domain_b = b.value() / members_;
  if (node_of_domain(domain_a) == node_of_domain(domain_b)) {
    add_domain_route(route, a.value(), b.value());
    return route;
  }
  std::uint32_t nic_a = (a.value() - domain_a * members_) * nics_per_domain_ / members_;
  const std::uint32_t local_b = b.value() - domain_b * members_;
  const std::uint32_t nic_b = local_b * nics_per_domain_ / members_;
  if (rail_only_ && nic_a % rails_ != nic_b % rails_) {
    add_domain_route(route, a.value(), domain_a * members_ + local_b);
    nic_a = nic_b;
  }
  const auto nic = static_cast<std::uint32_t>(first_nic_);
  route.add(LinkId(nic + 2 * (domain_a * nics_per_domain_ + nic_a)));
  if (tiers_ >= 2) {
    const std::uint32_t group_a = group_of(domain_a), group_b = group_of(domain_b);
    const std::uint32_t rail_a = nic_a % rails_, rail_b = nic_b % rails_;
    if (group_a != group_b || rail_a != rail_b) {
      const auto leaf = static_cast<std::uint32_t>(first_leaf_);
      route.add(LinkId(leaf + 2 * (group_a * rails_ + rail_a)));
      add_top(route, group_a, group_b);
      route.add(LinkId(leaf + 2 * (group_b * rails_ + rail_b) + 1));
    }
  }
  route.add(LinkId(nic + 2 * (domain_b * nics_per_domain_ + nic_b) + 1));
  return route;
}

}  // namespace fabricast
