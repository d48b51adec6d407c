// Edges of a schedule fall into few classes: same links crossed, same contention, same costs.
//
// An edge class says how many links of each LinkClass a message crosses and how many flows share
// the busiest link of each (stage_flows.hpp), in parts of one_flow. Costs are computed once per
// class and looked up per position, so that only arithmetic on a few dozen rows remains when sizes
// or parameters change. EdgeTable: interning, O(log classes) per new edge; not thread safe while it
// grows.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "topologies/model/topology.hpp"

namespace fabricast {

enum class EdgeKind : std::uint8_t {
  idle,     // no step, or no message in this direction: costs nothing
  local,    // a step without peers: copies only
  domain,   // inside an NVLink domain, a PCIe box or a host
  network,  // through at least one NIC
  device,   // between CTAs of one GPU (cuda executor): no link, one shared memory
};

// Flows are counted in 1/1024: on links that the rounds of an exchange take turns on, their mean
// need not be whole.
constexpr std::int64_t one_flow = 1024;

struct EdgeClass {
  static constexpr std::size_t max_link_classes = Topology::max_link_classes;

  EdgeKind kind = EdgeKind::idle;
  std::array<std::uint8_t, max_link_classes> hops{};   // links of each class on the route
  std::array<std::int64_t, max_link_classes> flows{};  // most flows on one link of the class
  std::int32_t device_flows = 0;                       // lanes that share the device's memory
  bool in_switch = false;                              // to a group, which the switch serves

  auto operator<=>(const EdgeClass&) const = default;
};

// What a step does besides waiting (step.hpp's actions), as far as its cost depends on it.
struct StepWork {
  bool receives = false, reduces = false, stores = false, sends = false;

  bool operator==(const StepWork&) const = default;
};

using EdgeId = std::uint16_t;

class EdgeTable {
 public:
  static constexpr EdgeId idle = 0;
  static constexpr EdgeId local = 1;

  EdgeTable();
  EdgeId intern(const EdgeClass& edge);
  const EdgeClass& operator[](EdgeId id) const { return classes_[id]; }
  std::size_t size() const { return classes_.size(); }

 private:
  std::vector<EdgeClass> classes_;
  std::map<EdgeClass, EdgeId> ids_;
  std::array<EdgeId, 64> recent_{};  // by six bits of a hash: positions mostly repeat each other
};

// The class of a route; `flows` is indexed by LinkId and may be empty (credits: latency only).
EdgeClass classify(const Topology& topology, const Route& route,
                   std::span<const std::int64_t> flows);

// nic and up: a message through the network.
bool is_network(LinkKind kind);
// The parallel uplinks of a switch, of no GPU's or node's own.
bool is_trunk(LinkKind kind);

}  // namespace fabricast
