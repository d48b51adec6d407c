// Overrides: ranks, NICs, links and racks that are slower than the machine file says.
//
//   rank=R:xF   every step of rank R occupies its lane F times as long
//   nic=R:xF    the NIC of rank R, both directions: F times the time per byte and the latency
//   link=NAME:xF   one directed link, by the name that `machine show` gives it: the same
//   rack=D:xF   rank, NIC and every other link of all ranks of domain D
//
// Factors of one element multiply. Ranks and links are resolved once per machine.
// Immutable; thread safe. Memory: one number per rank and per link.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/cost/edge_class.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct SlowElement {
  enum class Kind : std::uint8_t { rank, nic, link, rack };
  Kind kind{};
  std::string name;  // the number, or the name of a link
  double factor = 1;

  std::string text() const;  // "rank=17:x1.3"
  bool operator==(const SlowElement&) const = default;
};

// "rank=17:x1.3"; a multiplication sign or nothing do for the x. Throws UsageError.
SlowElement slow_element_from(std::string_view text);

class SlowElements {
 public:
  SlowElements() = default;
  // Throws UsageError for an element that the machine does not have.
  SlowElements(const Topology& topology, const std::vector<SlowElement>& elements);

  bool any() const { return !rank_.empty(); }
  bool any_link() const { return !link_.empty(); }
  double rank_factor(std::int32_t rank) const { return rank_[static_cast<std::size_t>(rank)]; }
  double link_factor(LinkId link) const { return link_[link.value()]; }

 private:
  std::vector<double> rank_;  // empty: nothing is slow
  std::vector<double> link_;  // empty: no link is
};

}  // namespace fabricast
