#include "emulator/cost/stage_flows.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "emulator/base/counter_rng.hpp"
#include "emulator/cost/group_links.hpp"
#include "emulator/schedule/lowered.hpp"

namespace fabricast {
namespace {

// Counts links of one stage, one lane at a time.
class LaneCounter {
 public:
  LaneCounter(const Topology& topology, LinkCounts& counts)
      : topology_(topology),
        counts_(counts),
        last_lane_(static_cast<std::size_t>(topology.links()), 0) {}

  void next_lane() { ++lane_; }

  // What a group's messages add to a link.
  void add(const LinkChunks& on, std::int32_t times) {
    counts_.chunks[on.link.value()] += static_cast<std::int64_t>(times) * on.chunks;
  }

  // One message of the lane per repetition, `times` lanes alike. Where chunks are not counted a
  // lane is one flow on a link, however many of its messages cross it.
  void message(std::int32_t from, std::int32_t to, std::int32_t times, std::int32_t chunks) {
    const Route route = topology_.route(RankId::from(from), RankId::from(to));
    for (const LinkId link : route.span()) {
      const std::size_t i = link.value();
      if (!counts_.chunks.empty()) {
        counts_.chunks[i] += static_cast<std::int64_t>(times) * chunks;
      } else if (last_lane_[i] != lane_) {
        last_lane_[i] = lane_;
        counts_.flows[i] += times * one_flow;
      }
    }
  }

 private:
  const Topology& topology_;
  LinkCounts& counts_;
  std::vector<std::int64_t> last_lane_;  // the last lane counted on each link
  std::int64_t lane_ = 0;
};

// The groups of one schedule: its peers do not depend on who sits where.
void count_schedule(LaneCounter& counter, const Schedule& schedule,
                    const std::vector<const ChannelGroup*>& groups, const Stage& stage,
                    std::int32_t k) {
  for (std::int32_t role = 0; role < schedule.roles; ++role) {
    std::vector<std::pair<const Phase*, PhasePeers>> sends;
    for (const PhaseGroup& phases : stage.groups) {
      for (const Phase& phase : phases.phases) {
        if (phase.role == role && phase.peer_out.exists()) {
          sends.emplace_back(&phase, peers_of(schedule, phase, k));
        }
      }
    }
    if (sends.empty()) continue;
    for (const ChannelGroup* group : groups) {
      const auto times = static_cast<std::int32_t>(group->channels.size());
      for (std::size_t x = 0; x < group->ranks.size(); ++x) {
        counter.next_lane();
        for (const auto& [phase, peers] : sends) {
          const std::int32_t y = peers.out[x];
          if (y >= 0) {
            counter.message(group->ranks[x], group->ranks[static_cast<std::size_t>(y)], times,
                            phase->chunk.count);
          }
        }
      }
    }
  }
}

// The parts of all positions in the group phases of a stage.
void count_groups(LaneCounter& counter, const Topology& topology, const ChannelGroup& group,
                  const Stage& stage) {
  const Schedule& schedule = *group.schedule;
  const auto times = static_cast<std::int32_t>(group.channels.size());
  for (const PhaseGroup& phases : stage.groups) {
    for (const Phase& phase : phases.phases) {
      for (const bool sends : {false, true}) {
        const PeerMap& map = sends ? phase.peer_out : phase.peer_in;
        if (!map.is_group()) continue;
        if (map.network) {
          for (const LinkChunks& on :
               network_group_links(topology, group.ranks, schedule.space, phase, sends)) {
            counter.add(on, times);
          }
          continue;
        }
        SwitchGroups at_switches(topology, group.ranks, schedule.space, map);
        for (std::int32_t x = 0; x < schedule.positions(); ++x) {
          if (!is_active(phase.active, schedule.space, x)) continue;
          for (const LinkChunks& on : group_links(topology, group.ranks, schedule.space, phase, x,
                                                  sends, at_switches.meet(x))) {
            counter.add(on, times);
          }
        }
      }
    }
  }
}

LinkCounts count_once(const Topology& topology, const std::vector<ChannelGroup>& groups,
                      std::size_t stage, std::int32_t k, bool with_chunks) {
  const auto links = static_cast<std::size_t>(topology.links());
  const bool grouped = has_groups(groups.front().schedule->stages[stage]);
  LinkCounts counts{std::vector<std::int64_t>(links, 0),
                    std::vector<std::int64_t>(with_chunks || grouped ? links : 0, 0)};
  LaneCounter counter(topology, counts);
  std::map<const Schedule*, std::vector<const ChannelGroup*>> by_schedule;
  for (const ChannelGroup& group : groups) by_schedule[group.schedule].push_back(&group);
  for (const auto& [schedule, members] : by_schedule) {
    count_schedule(counter, *schedule, members, schedule->stages[stage], k);
  }
  if (grouped) {
    for (const ChannelGroup& group : groups) {
      count_groups(counter, topology, group, group.schedule->stages[stage]);
    }
  }
  if (!counts.chunks.empty()) {
    std::transform(counts.chunks.begin(), counts.chunks.end(), counts.flows.begin(),
                   [](std::int64_t chunks) { return chunks * one_flow; });
  }
  if (!with_chunks) counts.chunks.clear();
  return counts;
}

}  // namespace

std::vector<ChannelGroup> group_channels(const ExecutionPlan& plan) {
  std::vector<ChannelGroup> groups;
  for (std::size_t c = 0; c < plan.channels.size(); ++c) {
    const ChannelPlan& channel = plan.channels[c];
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const ChannelGroup& group) {
      const auto& other = plan.channels[static_cast<std::size_t>(group.channels.front())];
      return other.schedule == channel.schedule && other.placement == channel.placement;
    });
    if (same != groups.end()) {
      same->channels.push_back(static_cast<std::int32_t>(c));
      continue;
    }
    ChannelGroup group{channel.schedule.get(), {static_cast<std::int32_t>(c)}, {}};
    const std::int32_t positions = channel.schedule->positions();
    group.ranks.reserve(static_cast<std::size_t>(positions));
    for (std::int32_t x = 0; x < positions; ++x) {
      group.ranks.push_back(channel.placement.rank_at(x));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

PhasePeers peers_of(const Schedule& schedule, const Phase& phase, std::int32_t k) {
  const std::int32_t positions = schedule.positions();
  const auto size = static_cast<std::size_t>(positions);
  PhasePeers peers{std::vector<std::int32_t>(size, PhasePeers::inactive),
                   std::vector<std::int32_t>(size, PhasePeers::inactive)};
  for (std::int32_t x = 0; x < positions; ++x) {
    if (!is_active(phase.active, schedule.space, x)) continue;
    const auto i = static_cast<std::size_t>(x);
    peers.in[i] = peer_of(phase.peer_in, schedule.space, x, k);
    peers.out[i] = peer_of(phase.peer_out, schedule.space, x, k);
    // A map without a peer here means no step at all (semantics 2.4).
    const auto lost = [](const PeerMap& map, std::int32_t peer) {
      return map.exists() && !map.is_group() && peer < 0;
    };
    const bool lost_in = lost(phase.peer_in, peers.in[i]);
    const bool lost_out = lost(phase.peer_out, peers.out[i]);
    if (lost_in || lost_out) peers.in[i] = peers.out[i] = PhasePeers::inactive;
  }
  return peers;
}

bool phase_varies(const Phase& phase) { return phase.peer_in.varies() || phase.peer_out.varies(); }

bool stage_varies(const Stage& stage) {
  for (const PhaseGroup& group : stage.groups) {
    if (std::any_of(group.phases.begin(), group.phases.end(), phase_varies)) return true;
  }
  return false;
}

bool meets_all(const Phase& phase, std::int32_t repeat, std::int32_t positions) {
  const PeerMap& out = phase.peer_out;
  if (phase.active != Active::all() || repeat != positions - 1) return false;
  if (out.kind == PeerMap::Kind::linear) return out.a == out.b && std::abs(out.a) == 1;
  return out.kind == PeerMap::Kind::rounds && out.b == 1;
}

namespace {

// Mean flows on direct links over the rounds of a stage, from all pairs where it meets all.
void spread_rounds(const Topology& topology, const std::vector<ChannelGroup>& groups,
                   std::size_t stage, const std::vector<std::int64_t>& sums, std::int64_t sampled,
                   std::vector<std::int64_t>& flows) {
  std::int64_t exchanges = 0;  // lanes that meet all others
  bool others = false;
  std::int32_t repeat = 0;
  for (const ChannelGroup& group : groups) {
    const Stage& shape = group.schedule->stages[stage];
    repeat = shape.repeat;
    for (const PhaseGroup& phases : shape.groups) {
      for (const Phase& phase : phases.phases) {
        if (!phase.peer_out.exists()) continue;
        const bool all = meets_all(phase, repeat, group.schedule->positions());
        if (all) exchanges += static_cast<std::int64_t>(group.channels.size());
        others = others || !all;
      }
    }
  }
  // A message alone on its link has all of it and no more, however many rounds leave the link idle.
  const auto mean = [](std::int64_t sum, std::int64_t n) {
    return sum == 0 ? 0 : std::max(one_flow, (sum + n - 1) / n);
  };
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const auto link = LinkId::from(static_cast<std::int64_t>(i));
    if (!topology.link_classes()[topology.link_class(link).value()].direct) continue;
    const std::int64_t pairs = others ? -1 : topology.pairs_on(link);
    flows[i] = pairs < 0 ? mean(sums[i], sampled) : mean(pairs * exchanges * one_flow, repeat);
  }
}

}  // namespace

LinkCounts count_links(const Topology& topology, const std::vector<ChannelGroup>& groups,
                       std::size_t stage) {
  const Stage& shape = groups.front().schedule->stages[stage];
  if (!stage_varies(shape)) return count_once(topology, groups, stage, 0, true);
  const std::int32_t domain = groups.front().schedule->space.domain_size();
  LinkCounts most{std::vector<std::int64_t>(static_cast<std::size_t>(topology.links()), 0), {}};
  const auto& classes = topology.link_classes();
  const bool direct = std::any_of(classes.begin(), classes.end(),
                                  [](const LinkClass& link) { return link.direct; });
  std::vector<std::int64_t> sums(direct ? most.flows.size() : 0, 0);
  const auto sampled = sampled_repetitions(shape.repeat, domain);
  for (const std::int32_t k : sampled) {
    const LinkCounts counts = count_once(topology, groups, stage, k, false);
    for (std::size_t i = 0; i < most.flows.size(); ++i) {
      most.flows[i] = std::max(most.flows[i], counts.flows[i]);
      if (direct) sums[i] += counts.flows[i];
    }
  }
  if (direct) {
    spread_rounds(topology, groups, stage, sums, static_cast<std::int64_t>(sampled.size()),
                  most.flows);
  }
  return most;
}

std::vector<std::int32_t> sampled_repetitions(std::int32_t repeat, std::int32_t domain_size) {
  constexpr std::int32_t all_up_to = 256;
  constexpr std::int32_t drawn = 12;
  std::vector<std::int32_t> chosen;
  if (repeat <= all_up_to) {
    for (std::int32_t k = 0; k < repeat; ++k) chosen.push_back(k);
    return chosen;
  }
  for (const std::int32_t k : {0, 1, domain_size - 1, domain_size, repeat / 2 - 1, repeat / 2,
                               repeat / 2 + 1, repeat - domain_size, repeat - 1}) {
    if (k >= 0 && k < repeat) chosen.push_back(k);
  }
  for (std::uint64_t i = 0; i < drawn; ++i) {
    chosen.push_back(static_cast<std::int32_t>(random_int(1, 0, i, 0, repeat - 1)));
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

}  // namespace fabricast
