// The part of TrafficBuilder about stages whose peers vary: edges by key, and every pair counted.
#include <algorithm>
#include <numeric>
#include <utility>

#include "emulator/cost/traffic_builder.hpp"

namespace fabricast {
namespace {

bool sends(const Phase& phase) { return phase.peer_out.kind != PeerMap::Kind::none; }
bool receives(const Phase& phase) { return phase.peer_in.kind != PeerMap::Kind::none; }

// A pair's busiest link of each class carries at most the most flows of the class.
std::vector<std::int32_t> most_by_class(const Topology& topology, const LinkCounts& counts) {
  std::vector<std::int32_t> most(topology.link_classes().size(), 0);
  for (std::size_t i = 0; i < counts.flows.size(); ++i) {
    auto& flows = most[topology.link_class(LinkId::from(static_cast<std::int64_t>(i))).value()];
    flows = std::max(flows, counts.flows[i]);
  }
  return most;
}

// Pairs of a phase in all repetitions.
std::int64_t pairs_of(const Phase& phase, std::int32_t repeat, std::int32_t positions) {
  const std::int64_t active = phase.active.kind == Active::Kind::range
                                  ? std::max(0, phase.active.end - phase.active.first)
                                  : positions;
  return active * repeat;
}

// A root's pairs are few: each is looked at.
constexpr std::int64_t few_pairs = 200'000;

bool is_exchange(const Phase& phase) {
  const PeerMap::Kind kind = phase.peer_out.kind;
  return phase.active == Active::all() &&
         (kind == PeerMap::Kind::linear || kind == PeerMap::Kind::rounds);
}

}  // namespace

void TrafficBuilder::add_varying_edges(PhaseEdges& edges, const ChannelGroup& group,
                                       const CountedStage& stage, const Phase& phase,
                                       const PositionKeys& keys) {
  edges.varies = true;
  edges.peer_in = phase.peer_in;
  edges.peer_out = phase.peer_out;
  edges.active = phase.active;
  if (sends(phase)) edges.send_by_key = edges_by_key(group, stage, phase, keys, true);
  if (receives(phase)) edges.receive_by_key = edges_by_key(group, stage, phase, keys, false);
}

std::vector<EdgeId> TrafficBuilder::edges_by_key(const ChannelGroup& group,
                                                 const CountedStage& stage, const Phase& phase,
                                                 const PositionKeys& keys, bool is_send) {
  const auto class_flows = most_by_class(topology_, *stage.counts);
  const Schedule& schedule = *group.schedule;
  const PeerMap& map = is_send ? phase.peer_out : phase.peer_in;
  const bool few = pairs_of(phase, stage.repeat, schedule.positions()) <= few_pairs;
  std::vector<std::int32_t> repetitions;
  if (few) {
    repetitions.resize(static_cast<std::size_t>(stage.repeat));
    std::iota(repetitions.begin(), repetitions.end(), 0);
  } else {
    repetitions = sampled_repetitions(stage.repeat, schedule.space.domain_size());
  }
  const std::int32_t end =
      phase.active.kind == Active::Kind::range ? phase.active.end : schedule.positions();
  std::vector<EdgeClass> longest(keys.keys());
  for (const std::int32_t k : repetitions) {
    for (std::int32_t x = 0; x < end; ++x) {
      const std::int32_t y = peer_of(map, schedule.space, x, k);
      if (y < 0 || !is_active(phase.active, schedule.space, x)) continue;
      const auto i = static_cast<std::size_t>(x);
      const auto j = static_cast<std::size_t>(y);
      EdgeClass& known = longest[keys.key(i, j)];
      const EdgeClass seen = edge(group.ranks[i], group.ranks[j], stage, false);
      known.kind = std::max(known.kind, seen.kind);
      for (std::size_t c = 0; c < seen.hops.size(); ++c) {
        known.hops[c] = std::max(known.hops[c], seen.hops[c]);
      }
    }
  }
  std::vector<EdgeId> ids;
  for (EdgeClass& known : longest) {
    for (std::size_t c = 0; is_send && c < class_flows.size(); ++c) {
      if (known.hops[c] > 0) known.flows[c] = class_flows[c];
    }
    ids.push_back(map_.edges_.intern(known));
  }
  return ids;
}

// An exchange's pairs by key, times the links of that key's routes.
void TrafficBuilder::count_by_key(const ChannelGroup& group, const CountedStage& stage,
                                  const Phase& phase, std::vector<ClassTraffic>& total) {
  const PositionKeys keys(topology_, group.ranks);
  const auto ids = edges_by_key(group, stage, phase, keys, true);
  std::vector<std::int64_t> pairs(keys.keys(), 0);
  const std::size_t end = is_exchange(phase) ? keys.period() : keys.positions();
  const auto groups = static_cast<std::int64_t>(keys.positions() / end);
  for (std::int32_t k = 0; k < stage.repeat; ++k) {
    keys.for_pairs(phase.peer_out, group.schedule->space, k, end,
                   [&pairs, groups](std::size_t, std::size_t length, std::size_t key) {
                     pairs[key] += static_cast<std::int64_t>(length) * groups;
                   });
  }
  for (std::size_t key = 0; key < pairs.size(); ++key) {
    for (std::size_t c = 0; c < total.size(); ++c) {
      total[c].total_chunks += pairs[key] * map_.edges_[ids[key]].hops[c] * phase.chunk.count *
                               static_cast<std::int64_t>(group.channels.size());
    }
  }
}

// The pairs of a root one by one.
void TrafficBuilder::count_by_link(const ChannelGroup& group, const CountedStage& stage,
                                   const Phase& phase, std::vector<std::int64_t>& chunks) const {
  const Schedule& schedule = *group.schedule;
  const std::int64_t times =
      static_cast<std::int64_t>(group.channels.size()) * phase.chunk.count;
  const std::int32_t end =
      phase.active.kind == Active::Kind::range ? phase.active.end : schedule.positions();
  for (std::int32_t k = 0; k < stage.repeat; ++k) {
    for (std::int32_t x = 0; x < end; ++x) {
      const std::int32_t y = peer_of(phase.peer_out, schedule.space, x, k);
      if (y < 0 || !is_active(phase.active, schedule.space, x)) continue;
      const Route route =
          topology_.route(RankId::from(group.ranks[static_cast<std::size_t>(x)]),
                          RankId::from(group.ranks[static_cast<std::size_t>(y)]));
      for (const LinkId link : route.span()) chunks[link.value()] += times;
    }
  }
}

void TrafficBuilder::count_pairs(std::size_t s, const CountedStage& stage) {
  std::vector<ClassTraffic> total(map_.link_classes_);
  std::vector<std::int64_t> chunks(stage.counts->flows.size(), 0);
  for (const ChannelGroup& group : groups_) {
    for (const PhaseGroup& phases : group.schedule->stages[s].groups) {
      for (const Phase& phase : phases.phases) {
        if (!sends(phase)) continue;
        if (pairs_of(phase, stage.repeat, group.schedule->positions()) <= few_pairs) {
          count_by_link(group, stage, phase, chunks);
        } else {
          count_by_key(group, stage, phase, total);
        }
      }
    }
  }
  // Those counted by key are spread evenly over the links that carry anything.
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (stage.counts->flows[i] > 0 || chunks[i] > 0) ++total[map_.class_of_link_[i].value()].links;
  }
  for (ClassTraffic& traffic : total) {
    if (traffic.links > 0) traffic.busiest_chunks = traffic.total_chunks / traffic.links;
  }
  std::vector<std::int64_t> busiest(total.size(), 0);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const std::size_t c = map_.class_of_link_[i].value();
    busiest[c] = std::max(busiest[c], chunks[i]);
    total[c].total_chunks += chunks[i];
  }
  for (std::size_t c = 0; c < total.size(); ++c) total[c].busiest_chunks += busiest[c];
  map_.varying_[s] = std::move(total);
}

}  // namespace fabricast
