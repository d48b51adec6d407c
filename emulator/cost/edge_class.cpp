#include "emulator/cost/edge_class.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {

EdgeTable::EdgeTable() {
  EdgeClass edge;
  intern(edge);
  edge.kind = EdgeKind::local;
  intern(edge);
}

EdgeId EdgeTable::intern(const EdgeClass& edge) {
  auto bits = static_cast<std::uint64_t>(edge.kind) + static_cast<std::uint64_t>(edge.device_flows);
  std::uint64_t odd = 1;
  for (std::size_t c = 0; c < EdgeClass::max_link_classes; ++c, odd = odd * 5 + 2) {
    bits += odd * (16 * static_cast<std::uint64_t>(edge.flows[c]) + edge.hops[c]);
  }
  EdgeId& recent = recent_[(bits * 0x9E3779B97F4A7C15u) >> 58];
  if (recent < classes_.size() && classes_[recent] == edge) return recent;
  const auto [entry, added] = ids_.try_emplace(edge, static_cast<EdgeId>(classes_.size()));
  if (added) {
    // Irregular machines could have a class per link; costs would still be right with wider ids.
    if (classes_.size() >= 0xFFFF) {
      throw UsageError(
          "more than 65,535 kinds of edges (every route of this machine is shared "
          "differently) use fewer channels");
    }
    classes_.push_back(edge);
  }
  recent = entry->second;
  return recent;
}

bool is_network(LinkKind kind) { return kind == LinkKind::nic || is_trunk(kind); }

bool is_trunk(LinkKind kind) {
  return kind == LinkKind::leaf_uplink || kind == LinkKind::spine_uplink;
}

EdgeClass classify(const Topology& topology, const Route& route,
                   std::span<const std::int64_t> flows) {
  EdgeClass edge;
  edge.kind = route.count == 0 ? EdgeKind::local : EdgeKind::domain;
  for (const LinkId link : route.span()) {
    const std::size_t c = topology.link_class(link).value();
    FABRICAST_ASSERT(c < EdgeClass::max_link_classes, "few link classes");
    ++edge.hops[c];
    if (!flows.empty()) edge.flows[c] = std::max(edge.flows[c], flows[link.value()]);
    if (is_network(topology.link_classes()[c].kind)) edge.kind = EdgeKind::network;
  }
  return edge;
}

}  // namespace fabricast
