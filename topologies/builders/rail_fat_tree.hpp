// Domains (boxes, racks, hosts) under a rail-optimised fat tree of one, two or three tiers.
//
//                     core                     tiers = 3: joins the pods
//            /         |                       spine_uplink, one trunk per pod and direction
//      spine layer of pod 0   ...              joins all leaves of its pod (tiers = 2: of the
//      machine)
//       /    |    |    |                       leaf_uplink, one trunk per leaf and direction
//   leaf    leaf  leaf  leaf                   leaf (group g, rail r): NICs of rail r, and no
//   others | | |   ...                                nic, one link per NIC and direction domains
//   of group g
//
// A group is `domains_per_leaf` consecutive domains; a pod is `groups_per_pod` consecutive groups.
// NIC n of a domain is on rail n % rails; its members share the NICs evenly, in order.
// route(a, b): same domain: over the scale-up links. Same leaf: nic up, nic down. Otherwise through
// the spine of the pod (this is also how a message changes rail), and through the core between
// pods.
//
// Trunks: the uplinks of a leaf are one link of capacity
//     domains_per_leaf * (nics / rails) * nic bandwidth / oversubscription,
// that of a fully populated leaf: the last, partly filled group has the same switches. The uplinks
// of a pod's spine layer are one link of groups_per_pod * rails * leaf trunk / core
// oversubscription (packets are sprayed over a layer; which spine carries which flow is not
// modeled). Latency: half of the measured end-to-end latency under one leaf on each nic link, one
// switch hop on each trunk. With one tier all NICs share one switch and there are no trunks.
//
// Sites: whole trees of equal numbers of domains, each with one trunk out and one in (site_uplink,
// of kind spine_uplink), half of the fibre's latency on each. Between sites a message climbs to the
// top of its tree first.
//
// rail_only: the same trees, but each rail has its own and nothing joins them. A message to another
// rail first goes to the member of its own domain whose NIC is on that rail (W. Wang et al.,
// arXiv:2307.12169; NCCL: PXN).
//
// dragonfly: a leaf is a router and a pod a group of routers, all of which are joined; so are all
// groups. leaf_uplink is a router's links into its group, spine_uplink a group's links to the
// others, since adaptive routing spreads packets over them (J. Kim et al., ISCA 2008: p NICs, a
// routers, h global links each). There is no switch above: within a group a message passes one more
// router, between groups three more, so half a switch hop is on each local trunk, a whole one on
// each global trunk.
//
// Domains may be of several kinds (MachineSpec::others), each with classes of its own for its
// scale-up links and NICs where their figures differ. Trunks are those of the first kind's NICs.
// Where nodes are of several sizes, several domains meet at a switch
// (DomainSpec::domains_per_node).
//
// LinkIds: scale-up links (see BuiltTopology), then 2 per NIC, 2 per leaf, 2 per pod (tiers = 3
// only), 2 per site (several only), up before down. Ranks = {members, domains}. Complexity: route()
// is O(1), no allocation.
#pragma once

#include <vector>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {

class RailFatTree final : public BuiltTopology {
 public:
  explicit RailFatTree(MachineSpec spec);

  std::int64_t links() const override { return end_; }
  LinkClassId link_class(LinkId link) const override;
  std::string link_name(LinkId link) const override;
  Route route(RankId a, RankId b) const override;
  std::int64_t pairs_on(LinkId link) const override;
  std::int32_t node_of(RankId rank) const override {
    return static_cast<std::int32_t>(node_of_domain(rank.value() / members_));
  }
  bool has_parts_of_nodes() const override { return divided_; }
  int kind_of(RankId rank) const override { return kind_of_domain(rank.value() / members_).kind; }
  int kinds() const override { return kinds_; }

  // Shape, for people and tests.
  std::int64_t nics() const { return (first_leaf_ - first_nic_) / 2; }
  std::int64_t leaves() const { return (first_pod_ - first_leaf_) / 2; }
  std::int64_t pods() const { return (first_site_ - first_pod_) / 2; }
  std::int64_t sites() const { return sites_; }
  // The way out of a domain's first NIC.
  LinkId first_nic(std::int64_t domain) const {
    return LinkId::from(first_nic_ + 2 * domain * nics_per_domain_);
  }
  // The leaf that the NIC of a rank hangs on (0 when there is one tier).
  std::int64_t leaf_of(RankId rank) const;

 private:
  // Domains from `first` on, to where the next ones begin.
  struct DomainKind {
    std::uint32_t first = 0;
    int kind = 0;
    LinkClassId scale_up, nic;
    std::uint32_t domains_per_node = 1;
  };
  void add_kinds();
  const DomainKind& kind_of_domain(std::uint32_t domain) const {
    std::size_t i = domain_kinds_.size() - 1;
    while (domain < domain_kinds_[i].first) --i;
    return domain_kinds_[i];
  }
  // The first domain at the switch of this one.
  std::uint32_t node_of_domain(std::uint32_t domain) const {
    if (!divided_) return domain;
    const DomainKind& kind = kind_of_domain(domain);
    return domain - (domain - kind.first) % kind.domains_per_node;
  }
  void add_fabric_classes();
  void add_dragonfly_classes();
  void count_domain_pairs();
  void add_top(Route& route, std::uint32_t group_a, std::uint32_t group_b) const;
  std::uint32_t group_of(std::uint32_t domain) const {
    if (sites_ == 1) return domain / domains_per_leaf_;
    return domain / domains_per_site_ * groups_per_site_ +
           domain % domains_per_site_ / domains_per_leaf_;
  }
  std::uint32_t pod_of(std::uint32_t group) const {
    if (tiers_ < 3) return site_of_group(group);
    return site_of_group(group) * pods_per_site_ + group % groups_per_site_ / groups_per_pod_;
  }
  std::uint32_t site_of_group(std::uint32_t group) const { return group / groups_per_site_; }

  bool rail_only_ = false, dragonfly_ = false;
  bool divided_ = false;  // several domains meet at a switch
  // Shape as unsigned 32-bit numbers: route() divides by them.
  std::uint32_t members_, nics_per_domain_, rails_, domains_per_leaf_, groups_per_pod_, tiers_;
  std::uint32_t sites_, domains_per_site_, groups_per_site_, pods_per_site_;
  std::vector<DomainKind> domain_kinds_;  // in order; at least one
  int kinds_ = 1;
  std::vector<std::int64_t> domain_pairs_;  // rail_only: pairs over the links of a domain
  // First LinkId of each kind, and the end.
  std::int64_t first_nic_ = 0, first_leaf_ = 0, first_pod_ = 0, first_site_ = 0, end_ = 0;
};

}  // namespace fabricast
