#include "emulator/cost/group_links.hpp"

#include <algorithm>

namespace fabricast {

std::vector<LinkChunks> group_links(const Topology& topology, std::span<const std::int32_t> ranks,
                                    const RankSpace& space, const Phase& phase, std::int32_t x,
                                    bool sends) {
  std::vector<LinkChunks> links;
  const auto rank = [&ranks](std::int32_t position) {
    return RankId::from(ranks[static_cast<std::size_t>(position)]);
  };
  for (const std::int32_t member : group_members(sends ? phase.peer_out : phase.peer_in, space, x)) {
    const Route route =
        sends ? topology.route(rank(x), rank(member)) : topology.route(rank(member), rank(x));
    const auto all = route.span();
    const auto half = sends ? all.first(all.size() - all.size() / 2) : all.last(all.size() / 2);
    for (const LinkId link : half) {
      const auto known = std::find_if(links.begin(), links.end(),
                                      [link](const LinkChunks& at) { return at.link == link; });
      if (known == links.end()) {
        // The own member's copy, or the only one of a multicast or a reduction.
        links.push_back({link, phase.chunk.count});
        if (phase.per_member) links.back().chunks += phase.chunk.count;
      } else if (phase.per_member) {
        known->chunks += phase.chunk.count;
      }
    }
  }
  return links;
}

// Semantics 3.8: all the bytes the step moves itself.
std::int32_t chunks_of_step(const Phase& phase, const RankSpace& space) {
  const std::int32_t once = phase.chunk.count;
  if (!phase.per_member) return once;
  std::int32_t most = once;
  for (const PeerMap* map : {&phase.peer_in, &phase.peer_out}) {
    if (map->is_group()) most = std::max(most, (space.radix(map->digit) - 1) * once);
  }
  return most;
}

}  // namespace fabricast
