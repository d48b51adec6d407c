// The parts of TrafficBuilder about groups (the edge to, or from, all other members at once) and
// about loops.
#include <algorithm>
#include <vector>

#include "emulator/cost/group_links.hpp"
#include "emulator/cost/loop_overlap.hpp"
#include "emulator/cost/traffic_builder.hpp"

namespace fabricast {

TrafficBuilder::GroupsOfMap& TrafficBuilder::groups_of(const ChannelGroup& group,
                                                       const CountedStage& stage,
                                                       const PeerMap& map, bool is_send) const {
  GroupsOfMap& known = groups_of_map_;
  if (known.group != &group || known.stage != &stage || known.is_send != is_send ||
      known.map != map) {
    known.group = &group;
    known.stage = &stage;
    known.map = map;
    known.is_send = is_send;
    known.at_switches.emplace(topology_, group.ranks, group.schedule->space, map);
    known.descents.assign(known.at_switches->groups(), {});
  }
  return known;
}

// O(members) for the first of a group, O(1) for the others.
const TrafficBuilder::Descents& TrafficBuilder::descents(GroupsOfMap& groups,
                                                         std::int32_t x) const {
  const ChannelGroup& group = *groups.group;
  Descents& found = groups.descents[groups.at_switches->group_of(x)];
  if (found.known) return found;
  found.known = true;
  const RankSpace& space = group.schedule->space;
  const std::int32_t weight = space.weight(groups.map.digit);
  const std::int32_t first = x - space.digit_of(x, groups.map.digit) * weight;
  for (std::int32_t i = 0; i < space.radix(groups.map.digit); ++i) {
    const std::int32_t y = first + i * weight;
    const LinkId down = link_at_switch(group, other_member(space, groups.map.digit, y), y, 1);
    const std::int64_t flows = groups.stage->counts->flows[down.value()];
    found.second = std::max(found.second, std::min(found.most, flows));
    found.most = std::max(found.most, flows);
  }
  return found;
}

// The link up (0) or down (1) on the way between two members of a group that meet at a switch.
LinkId TrafficBuilder::link_at_switch(const ChannelGroup& group, std::int32_t from, std::int32_t to,
                                      std::size_t down) const {
  return topology_
      .route(RankId::from(group.ranks[static_cast<std::size_t>(from)]),
             RankId::from(group.ranks[static_cast<std::size_t>(to)]))
      .links[down];
}

// `descents`: of a send. The climb is the sender's own; of the descents the most loaded one of
// another member counts.
EdgeClass TrafficBuilder::switch_edge(const ChannelGroup& group, const CountedStage& stage,
                                      const PeerMap& map, std::int32_t x,
                                      const Descents* descents) const {
  const std::int32_t other = other_member(group.schedule->space, map.digit, x);
  EdgeClass edge = this->edge(group.ranks[static_cast<std::size_t>(x)],
                              group.ranks[static_cast<std::size_t>(other)], stage, false);
  edge.in_switch = map.is_switched();
  if (descents == nullptr) return edge;
  const auto& flows = stage.counts->flows;
  const LinkId climb = link_at_switch(group, x, other, 0);
  const std::int64_t own = flows[link_at_switch(group, other, x, 1).value()];
  edge.flows[topology_.link_class(climb).value()] =
      std::max(flows[climb.value()], own == descents->most ? descents->second : descents->most);
  return edge;
}

EdgeClass TrafficBuilder::group_edge(const ChannelGroup& group, const CountedStage& stage,
                                     const Phase& phase, std::int32_t x, bool is_send) const {
  const PeerMap& map = is_send ? phase.peer_out : phase.peer_in;
  const RankSpace& space = group.schedule->space;
  if (!on_device_ && !map.network) {
    GroupsOfMap& groups = groups_of(group, stage, map, is_send);
    if (groups.at_switches->meet(x)) {
      return switch_edge(group, stage, map, x, is_send ? &descents(groups, x) : nullptr);
    }
  }
  EdgeClass worst;
  worst.kind = EdgeKind::local;  // without other members
  const auto rank = [&group](std::int32_t y) { return group.ranks[static_cast<std::size_t>(y)]; };
  double latest = -1;
  for (const std::int32_t y : telling_members(map, space, x)) {
    const EdgeClass seen = edge(rank(x), rank(y), stage, is_send);
    worst.kind = std::max(worst.kind, seen.kind);
    worst.in_switch = map.is_switched() && !map.network;
    double latency = 0;
    for (std::size_t c = 0; c < map_.link_classes_; ++c) {
      latency += seen.hops[c] * topology_.link_classes()[c].latency.value;
      worst.flows[c] = std::max(worst.flows[c], seen.flows[c]);
    }
    if (latency > latest) worst.hops = seen.hops;
    latest = std::max(latest, latency);
  }
  return worst;
}

// What lanes at other loops put on the links as well.
void TrafficBuilder::overlap_loops() {
  LoopOverlap overlap(groups_, loops_);
  map_.overlaps_ = overlap.any_sections();
  map_.loops_ = overlap.loops();
  if (overlap.loops() == 1) return;
  const std::size_t stages = groups_.front().schedule->stages.size();
  std::map<const CountedStage*, std::size_t> stage_of;
  for (std::size_t s = 0; s < stages; ++s) {
    overlap.add(s, *counted(s).counts);
    stage_of.emplace(&counted(s), s);
  }
  for (const auto& known : counted_) {
    auto shared = std::make_shared<LinkCounts>(*known->counts);
    shared->flows = overlap.flows(stage_of.at(known.get()), *known->counts);
    known->counts = std::move(shared);
  }
}

}  // namespace fabricast
