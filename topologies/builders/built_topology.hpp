// A topology that knows the specification it was built from, and the choice of builder.
//
// All builders share the scale-up links of their domains, which have the lowest LinkIds, domain by
// domain. Through a switch (or memory) every member has one link up and one down: 0 .. 2 * ranks -
// 1, rank by rank, up before down. Links of a full mesh or a torus are those of DirectLinks. Thread
// safety: const after construction.
#pragma once

#include <memory>
#include <string>

#include "topologies/builders/direct_links.hpp"
#include "topologies/model/machine_spec.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// The links of a domain whose members meet at a switch.
LinkClass scale_up_class(const DomainSpec& domain);

class BuiltTopology : public Topology {
 public:
  const MachineSpec& spec() const { return spec_; }
  // Null where the members of a domain meet at a switch.
  const DirectLinks* direct_links() const { return direct_.get(); }
  std::int64_t pairs_on(LinkId link) const override;

 protected:
  BuiltTopology(MachineSpec spec, RankSpace space);

  std::int64_t domain_links() const { return domain_links_; }
  std::size_t domain_classes() const { return domain_classes_; }
  LinkClassId domain_link_class(LinkId link) const {
    if (!direct_) return LinkClassId(0);
    return LinkClassId::from(
        static_cast<std::int64_t>(direct_->class_of(link.value() % per_domain_)));
  }
  // From one rank to another of its domain.
  void add_domain_route(Route& route, std::uint32_t a, std::uint32_t b) const {
    if (!direct_) {
      route.add(LinkId(2 * a));
      route.add(LinkId(2 * b + 1));
      return;
    }
    const auto l = static_cast<std::uint32_t>(space_.domain_size());
    const std::uint32_t domain = a / l;
    direct_->add_route(route, domain * per_domain_, a - domain * l, b - domain * l);
  }
  // "rack 3 tray 4 gpu 17 nvlink up", for link < domain_links().
  std::string domain_link_name(LinkId link) const;
  // "rack 3", and only "gpu 17" when the machine is that single domain.
  std::string domain_name(std::int64_t domain) const;

 private:
  MachineSpec spec_;
  std::unique_ptr<const DirectLinks> direct_;
  std::uint32_t per_domain_ = 0;  // direct links of a domain
  std::int64_t domain_links_ = 0;
  std::size_t domain_classes_ = 0;
};

// The builder that fits: one domain, or domains under a fabric. Expects a checked specification.
std::shared_ptr<const BuiltTopology> build_topology(MachineSpec spec);

}  // namespace fabricast
