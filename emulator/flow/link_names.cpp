#include "emulator/flow/link_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"

namespace fabricast {

std::vector<std::uint32_t> LinkNames::named(const std::string& name) const {
  const Topology& topology = network_.topology();
  std::vector<std::uint32_t> links;
  for (std::uint32_t link = 0; link < network_.links(); ++link) {
    const std::string own = network_.link_name(link);
    const bool of_trunk = link >= static_cast<std::uint32_t>(topology.links()) &&
                          topology.link_name(network_.origin(link)) == name;
    if (own == name || of_trunk) links.push_back(link);
  }
  if (!links.empty()) return links;
  // One of each class: what there is.
  std::vector<std::string> examples(topology.link_classes().size());
  for (std::uint32_t link = 0; link < network_.links(); ++link) {
    auto& example = examples[topology.link_class(network_.origin(link)).value()];
    if (example.empty()) example = fmt::format("\"{}\"", network_.link_name(link));
  }
  std::erase(examples, "");
  throw UsageError(fmt::format("{} has no link called \"{}\"; its {} links are called like {}",
                               topology.name(), name, network_.links(), fmt::join(examples, ", ")));
}

std::vector<std::uint32_t> LinkNames::nic_of(RankId rank) const {
  const Topology& topology = network_.topology();
  const auto members = static_cast<std::uint32_t>(topology.space().domain_size());
  const auto ranks = static_cast<std::uint32_t>(topology.ranks());
  const auto outside = [&](RankId peer) {
    return topology.node_of(peer) != topology.node_of(rank);
  };
  RankId peer((rank.value() + members) % ranks);
  while (!outside(peer) && peer != rank) peer = RankId((peer.value() + members) % ranks);
  std::vector<std::uint32_t> links;
  const auto is_nic = [&](LinkId link) {
    return topology.link_classes()[topology.link_class(link).value()].kind == LinkKind::nic;
  };
  if (outside(peer)) {
    const Route out = topology.route(rank, peer), in = topology.route(peer, rank);
    const auto leaves = std::find_if(out.span().begin(), out.span().end(), is_nic);
    const auto enters = std::find_if(in.span().rbegin(), in.span().rend(), is_nic);
    if (leaves != out.span().end() && enters != in.span().rend()) {
      links = {leaves->value(), enters->value()};
    }
  }
  if (links.empty()) {
    throw UsageError(
        fmt::format("rank {} of {} sends through no NIC", rank.value(), topology.name()));
  }
  return links;
}

}  // namespace fabricast
