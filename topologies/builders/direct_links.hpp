// Links between the members of one domain themselves, without a switch: a full mesh or a torus.
//
// Members and links of a domain are numbered from 0; links are directed. All domains of a machine
// are alike, so one object stands for each of them. Immutable; thread safe. add_route() and
// class_of() are O(hops) and O(axes), no allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "topologies/model/machine_spec.hpp"

namespace fabricast {

class DirectLinks {
 public:
  virtual ~DirectLinks() = default;

  virtual std::int64_t links() const = 0;
  // The links from member a to member b, a != b; `first` is added to their numbers.
  virtual void add_route(Route& route, std::uint32_t first, std::uint32_t a,
                         std::uint32_t b) const = 0;
  // Bandwidth and latency of one link; class_of() indexes them.
  virtual std::vector<LinkClass> classes() const = 0;
  virtual std::size_t class_of(std::int64_t link) const = 0;
  virtual std::string name(std::int64_t link) const = 0;  // "gpu 3 to gpu 5", "gpu 3 x+"
  // Ordered pairs of members whose route crosses the link.
  virtual std::int64_t pairs_on(std::int64_t link) const = 0;
  // Orders of all members for rings that together load all links alike, as far as such are known.
  virtual std::vector<std::vector<std::int32_t>> ring_orders() const = 0;
  // What crosses the narrowest cut into halves, one way.
  virtual double bisection_gb_per_s() const = 0;
};

// Those of a domain; null where its members meet at a switch.
std::unique_ptr<const DirectLinks> direct_links_of(const DomainSpec& domain);

}  // namespace fabricast
