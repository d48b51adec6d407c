// The part of TrafficBuilder about stages whose peers vary: edges by key, and every pair counted.
#include <algorithm>
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

}  // namespace

PhaseEdges TrafficBuilder::varying_edges_of(const ChannelGroup& group, const CountedStage& stage,
                                            const Phase& phase, const PositionKeys& keys) {
  PhaseEdges edges;
  edges.reduces = (phase.action & action_reduce) != 0;
  edges.chunk_count = phase.chunk.count;
  edges.varies = true;
  edges.peer_in = phase.peer_in;
  edges.peer_out = phase.peer_out;
  edges.active = phase.active;
  if (sends(phase)) edges.send_by_key = edges_by_key(group, stage, phase.peer_out, keys, true);
  if (receives(phase))
    edges.receive_by_key = edges_by_key(group, stage, phase.peer_in, keys, false);
  return edges;
}

std::vector<EdgeId> TrafficBuilder::edges_by_key(const ChannelGroup& group,
                                                 const CountedStage& stage, const PeerMap& map,
                                                 const PositionKeys& keys, bool is_send) {
  const auto class_flows = most_by_class(topology_, *stage.counts);
  const Schedule& schedule = *group.schedule;
  std::vector<EdgeClass> longest(keys.keys());
  for (const std::int32_t k : sampled_repetitions(stage.repeat, schedule.space.domain_size())) {
    for (std::int32_t x = 0; x < schedule.positions(); ++x) {
      const auto i = static_cast<std::size_t>(x);
      const auto j = static_cast<std::size_t>(peer_of(map, schedule.space, x, k));
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

// Every pair talks once per stage: pairs by key, times the links of that key's routes.
void TrafficBuilder::count_pairs(std::size_t s, const CountedStage& stage) {
  std::vector<ClassTraffic> total(map_.link_classes_);
  for (const ChannelGroup& group : groups_) {
    const PositionKeys keys(topology_, group.ranks);
    for (const PhaseGroup& phases : group.schedule->stages[s].groups) {
      for (const Phase& phase : phases.phases) {
        if (!sends(phase)) continue;
        const auto ids = edges_by_key(group, stage, phase.peer_out, keys, true);
        std::vector<std::int64_t> pairs(keys.keys(), 0);
        const auto groups = static_cast<std::int64_t>(keys.positions() / keys.period());
        for (std::int32_t k = 0; k < stage.repeat; ++k) {
          keys.for_pairs(phase.peer_out, group.schedule->space, k, keys.period(),
                         [&pairs, groups](std::size_t, std::size_t length, std::size_t key) {
                           pairs[key] += static_cast<std::int64_t>(length) * groups;
                         });
        }
        for (std::size_t key = 0; key < pairs.size(); ++key) {
          for (std::size_t c = 0; c < total.size(); ++c) {
            total[c].total_chunks += pairs[key] * map_.edges_[ids[key]].hops[c] *
                                     phase.chunk.count *
                                     static_cast<std::int64_t>(group.channels.size());
          }
        }
      }
    }
  }
  for (std::size_t i = 0; i < stage.counts->flows.size(); ++i) {
    if (stage.counts->flows[i] > 0) ++total[map_.class_of_link_[i].value()].links;
  }
  for (ClassTraffic& traffic : total) {
    if (traffic.links > 0) traffic.busiest_chunks = traffic.total_chunks / traffic.links;
  }
  map_.varying_[s] = std::move(total);
}

}  // namespace fabricast
