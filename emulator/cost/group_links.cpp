#include "emulator/cost/group_links.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "emulator/base/contracts.hpp"

namespace fabricast {

SwitchGroups::SwitchGroups(const Topology& topology, std::span<const std::int32_t> ranks,
                           const RankSpace& space, const PeerMap& map)
    : topology_(topology),
      ranks_(ranks),
      network_(map.network),
      weight_(space.weight(map.digit)),
      radix_(space.radix(map.digit)),
      answers_(static_cast<std::size_t>(space.size() / radix_), Answer::unknown) {}

bool SwitchGroups::meet(std::int32_t x) {
  Answer& answer = answers_[group_of(x)];
  if (answer == Answer::unknown) answer = find_out(x) ? Answer::yes : Answer::no;
  return answer == Answer::yes;
}

bool SwitchGroups::find_out(std::int32_t x) const {
  if (network_ || radix_ < 2) return false;
  const std::int32_t first = x - x / weight_ % radix_ * weight_;
  const auto rank = [&](std::int32_t i) {
    return ranks_[static_cast<std::size_t>(first + i * weight_)];
  };
  const std::int32_t domain = topology_.space().domain_size();
  for (std::int32_t i = 1; i < radix_; ++i) {
    if (rank(i) / domain != rank(0) / domain) return false;
  }
  const Route route = topology_.route(RankId::from(rank(0)), RankId::from(rank(1)));
  return route.count == 2 &&
         !topology_.link_classes()[topology_.link_class(route.links[0]).value()].direct;
}

std::int32_t other_member(const RankSpace& space, std::int32_t digit, std::int32_t x) {
  const std::int32_t member = space.digit_of(x, digit), weight = space.weight(digit);
  return member == 0 ? x + weight : x - member * weight;
}

std::vector<LinkChunks> group_links(const Topology& topology, std::span<const std::int32_t> ranks,
                                    const RankSpace& space, const Phase& phase, std::int32_t x,
                                    bool sends, bool at_a_switch) {
  std::vector<LinkChunks> links;
  const auto rank = [&ranks](std::int32_t position) {
    return RankId::from(ranks[static_cast<std::size_t>(position)]);
  };
  const PeerMap& map = sends ? phase.peer_out : phase.peer_in;
  const bool each = phase.per_member || map.direct;
  // The own member's copy crosses the switch as well.
  const std::int32_t own = phase.per_member && !map.direct ? phase.chunk.count : 0;
  if (at_a_switch) {
    const std::int32_t other = other_member(space, map.digit, x);
    const Route route =
        sends ? topology.route(rank(x), rank(other)) : topology.route(rank(other), rank(x));
    const std::int32_t times = each ? space.radix(map.digit) - 1 : 1;
    return {{route.links[sends ? 0 : 1], times * phase.chunk.count + own}};
  }
  for (const std::int32_t member : group_members(map, space, x)) {
    const Route route =
        sends ? topology.route(rank(x), rank(member)) : topology.route(rank(member), rank(x));
    const auto all = route.span();
    const auto half = sends ? all.first(all.size() - all.size() / 2) : all.last(all.size() / 2);
    for (const LinkId link : half) {
      const auto known = std::find_if(links.begin(), links.end(),
                                      [link](const LinkChunks& at) { return at.link == link; });
      if (known == links.end()) {
        links.push_back({link, phase.chunk.count + own});
      } else if (each) {
        known->chunks += phase.chunk.count;
      }
    }
  }
  return links;
}

std::vector<std::int32_t> telling_members(const PeerMap& map, const RankSpace& space,
                                          std::int32_t x) {
  if (!map.network) return group_members(map, space, x);
  const std::int32_t weight = space.weight(map.digit), radix = space.radix(map.digit);
  const std::int32_t first = x - space.digit_of(x, map.digit) * weight;
  const std::int32_t last = first + (radix - 1) * weight;
  std::vector<std::int32_t> members;
  if (first != x) members.push_back(first);
  if (last != x) members.push_back(last);
  return members;
}

std::vector<LinkChunks> network_group_links(const Topology& topology,
                                            std::span<const std::int32_t> ranks,
                                            const RankSpace& space, const Phase& phase,
                                            bool sends) {
  FABRICAST_EXPECT(!phase.per_member, "the network adds up or multicasts, it does not scatter");
  const PeerMap& map = sends ? phase.peer_out : phase.peer_in;
  const auto rank = [&ranks](std::int32_t position) {
    return RankId::from(ranks[static_cast<std::size_t>(position)]);
  };
  std::map<std::pair<std::int32_t, std::int64_t>, std::int32_t> of_group;  // group, link
  for (std::int32_t x = 0; x < space.size(); ++x) {
    if (!is_active(phase.active, space, x)) continue;
    const auto members = telling_members(map, space, x);
    if (members.empty()) continue;
    const std::int32_t top = members.front();
    const Route route =
        sends ? topology.route(rank(x), rank(top)) : topology.route(rank(top), rank(x));
    const auto all = route.span();
    const auto half = sends ? all.first(all.size() - all.size() / 2) : all.last(all.size() / 2);
    const std::int32_t group = x - space.digit_of(x, map.digit) * space.weight(map.digit);
    for (const LinkId link : half) of_group[{group, link.value()}] = phase.chunk.count;
  }
  std::vector<LinkChunks> links;
  for (const auto& [key, chunks] : of_group) links.push_back({LinkId::from(key.second), chunks});
  return links;
}

// Semantics 3.8: all the bytes the step moves itself.
std::int32_t chunks_of_step(const Phase& phase, const RankSpace& space) {
  const std::int32_t once = phase.chunk.count;
  std::int32_t most = once;
  for (const PeerMap* map : {&phase.peer_in, &phase.peer_out}) {
    if (!map->is_group() || !(phase.per_member || map->direct)) continue;
    most = std::max(most, (space.radix(map->digit) - 1) * once);
  }
  return most;
}

}  // namespace fabricast
