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
  if (last_ < classes_.size() && classes_[last_] == edge) return last_;
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
  last_ = entry->second;
  return last_;
}

bool is_network(LinkKind kind) {
  return kind == LinkKind::nic || kind == LinkKind::leaf_uplink || kind == LinkKind::spine_uplink;
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
