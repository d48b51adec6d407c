// The part of TrafficBuilder about stages whose peers vary: edges by key, and every pair counted.
#include <algorithm>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "emulator/cost/traffic_builder.hpp"

namespace fabricast {
namespace {

// A pair's busiest link of each class carries at most the most flows of the class.
std::vector<std::int64_t> most_by_class(const Topology& topology, const LinkCounts& counts) {
  std::vector<std::int64_t> most(topology.link_classes().size(), 0);
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

// Pairs of a position, and of them those of one key.
struct Kind {
  std::int64_t pairs = 0;
  std::size_t other = 0;  // the other end of one of them
};

// A pair of every key that pairs have and no edge is known of.
std::vector<std::pair<std::size_t, std::size_t>> pairs_of_unknown(
    const PositionKeys& keys, const std::vector<EdgeClass>& edge_of_key) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const std::size_t n = keys.keys(), period = keys.period();
  std::vector<std::size_t> missing;
  for (std::size_t key = 0; key < n; ++key) {
    if (edge_of_key[key].kind == EdgeKind::idle) missing.push_back(key);
  }
  if (missing.empty()) return pairs;
  const std::vector<std::int64_t> peers = keys.peers_by_key(period);
  for (const std::size_t key : missing) {
    std::size_t x = 0;
    while (x < period && peers[x * n + key] == 0) ++x;
    if (x == period) continue;
    std::size_t y = 0;
    while (y == x || keys.key(x, y) != key) ++y;
    pairs.emplace_back(x, y);
  }
  return pairs;
}

// Of the first `end` positions with all others: [x * keys + key]. An end of each kind is that of
// the position of the rail before or, where switches end, is found nearby in one direction or the
// other.
std::vector<Kind> pairs_with_all(const PositionKeys& keys, std::size_t end) {
  const std::size_t positions = keys.positions(), n = keys.keys();
  const std::vector<std::int64_t> peers = keys.peers_by_key(end);
  std::vector<Kind> kinds(end * n);
  std::unordered_map<std::int32_t, std::vector<std::size_t>> known;  // by rail and key
  for (std::size_t x = 0; x < end; ++x) {
    const auto of_x = peers.begin() + static_cast<std::ptrdiff_t>(x * n);
    auto missing = std::count_if(of_x, of_x + static_cast<std::ptrdiff_t>(n),
                                 [](std::int64_t count) { return count > 0; });
    std::vector<std::size_t>& others = known.try_emplace(keys.rail(x), n, 0).first->second;
    for (std::size_t key = 0; key < n; ++key) {
      const std::size_t y = others[key];
      if (x == y || keys.key(x, y) != key) continue;
      kinds[x * n + key] = {of_x[static_cast<std::ptrdiff_t>(key)], y};
      --missing;
    }
    for (std::size_t away = 1; missing > 0; ++away) {
      FABRICAST_ASSERT(away < positions, "a pair of every kind that was counted");
      for (const std::size_t y : {(x + away) % positions, (x + positions - away) % positions}) {
        const std::size_t key = keys.key(x, y);
        Kind& kind = kinds[x * n + key];
        if (kind.pairs > 0) continue;
        kind = {of_x[static_cast<std::ptrdiff_t>(key)], y};
        others[key] = y;
        --missing;
      }
    }
  }
  return kinds;
}

// Of a shift the peer of x + period is the peer of x, + period; of other maps only all positions
// say everything.
std::size_t pairs_repeat_after(const PositionKeys& keys, const PeerMap& map,
                               const RankSpace& space) {
  const bool shifts = map.kind == PeerMap::Kind::linear ||
                      (map.kind == PeerMap::Kind::rounds &&
                       keys.period() % static_cast<std::size_t>(space.radix(0)) == 0);
  return shifts ? keys.period() : keys.positions();
}

// Up to the top of the tree and down again; a link in the middle counts as climbing.
std::span<const LinkId> climbing(const Route& route) {
  return route.span().first(static_cast<std::size_t>((route.count + 1) / 2));
}
std::span<const LinkId> descending(const Route& route) {
  return route.span().subspan(static_cast<std::size_t>((route.count + 1) / 2));
}

}  // namespace

void TrafficBuilder::add_varying_edges(PhaseEdges& edges, const ChannelGroup& group,
                                       const CountedStage& stage, const Phase& phase,
                                       const PositionKeys& keys) {
  edges.varies = true;
  edges.peer_in = phase.peer_in;
  edges.peer_out = phase.peer_out;
  edges.active = phase.active;
  if (phase.peer_out.exists()) edges.send_by_key = edges_by_key(group, stage, phase, keys, true);
  if (phase.peer_in.exists()) edges.receive_by_key = edges_by_key(group, stage, phase, keys, false);
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
  std::int32_t end =
      phase.active.kind == Active::Kind::range ? phase.active.end : schedule.positions();
  if (phase.active == Active::all()) {
    end = static_cast<std::int32_t>(pairs_repeat_after(keys, map, schedule.space));
  }
  std::vector<EdgeClass> longest(keys.keys());
  const auto look_at = [&](std::size_t i, std::size_t j) {
    EdgeClass& known = longest[keys.key(i, j)];
    const EdgeClass seen = edge(group.ranks[i], group.ranks[j], stage, false);
    known.kind = std::max(known.kind, seen.kind);
    for (std::size_t c = 0; c < seen.hops.size(); ++c) {
      known.hops[c] = std::max(known.hops[c], seen.hops[c]);
    }
  };
  for (const std::int32_t k : repetitions) {
    for (std::int32_t x = 0; x < end; ++x) {
      const std::int32_t y = peer_of(map, schedule.space, x, k);
      if (y < 0 || !is_active(phase.active, schedule.space, x)) continue;
      look_at(static_cast<std::size_t>(x), static_cast<std::size_t>(y));
    }
  }
  if (!few) {
    for (const auto& [x, y] : pairs_of_unknown(keys, longest)) look_at(x, y);
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

// The pairs of a root one by one.
void TrafficBuilder::count_by_link(const ChannelGroup& group, const Phase& phase,
                                   std::int32_t repeat, std::vector<std::int64_t>& chunks) const {
  const Schedule& schedule = *group.schedule;
  const std::int64_t times = static_cast<std::int64_t>(group.channels.size()) * phase.chunk.count;
  const std::int32_t end =
      phase.active.kind == Active::Kind::range ? phase.active.end : schedule.positions();
  for (std::int32_t k = 0; k < repeat; ++k) {
    for (std::int32_t x = 0; x < end; ++x) {
      const std::int32_t y = peer_of(phase.peer_out, schedule.space, x, k);
      if (y < 0 || !is_active(phase.active, schedule.space, x)) continue;
      const Route route = topology_.route(RankId::from(group.ranks[static_cast<std::size_t>(x)]),
                                          RankId::from(group.ranks[static_cast<std::size_t>(y)]));
      for (const LinkId link : route.span()) chunks[link.value()] += times;
    }
  }
}

// Exact per link without a route per pair: the climbing half of a route is decided by its source
// and the key of the pair, the descending half by its destination and the key. So pairs are counted
// per (end, key), and one route stands for all of a kind. Machines of equal groups look the same
// from every group: of a shift, one period of positions is counted.
void TrafficBuilder::count_pairs(const ChannelGroup& group, const Phase& phase, std::int32_t repeat,
                                 std::vector<std::int64_t>& chunks) const {
  const PositionKeys keys(topology_, group.ranks);
  const RankSpace& space = group.schedule->space;
  const std::size_t positions = keys.positions();
  const std::size_t period =
      phase.active == Active::all() ? pairs_repeat_after(keys, phase.peer_out, space) : positions;
  std::vector<Kind> sources(period * keys.keys()), destinations(period * keys.keys());
  const auto count = [](Kind& kind, std::size_t other) {
    if (kind.pairs++ == 0) kind.other = other;
  };
  if (meets_all(phase, repeat, static_cast<std::int32_t>(positions))) {
    sources = destinations = pairs_with_all(keys, period);
  } else {
    for (std::int32_t k = 0; k < repeat; ++k) {
      keys.for_pairs(phase.peer_out, space, k, period,
                     [&](std::size_t first, std::size_t length, std::size_t key) {
                       const auto to = static_cast<std::size_t>(
                           peer_of(phase.peer_out, space, static_cast<std::int32_t>(first), k));
                       std::size_t row = to % period;
                       for (std::size_t i = 0; i < length; ++i) {
                         count(sources[(first + i) * keys.keys() + key], to + i);
                         // As seen from the destination of the same place in the first period.
                         const std::size_t back = to + i - row;
                         count(destinations[row * keys.keys() + key],
                               first + i >= back ? first + i - back : first + i + positions - back);
                         if (++row == period) row = 0;
                       }
                     });
    }
  }
  const auto messages = phase.chunk.count * static_cast<std::int64_t>(group.channels.size());
  const auto rank = [&](std::size_t x) { return RankId::from(group.ranks[x % positions]); };
  const auto add = [&](std::span<const LinkId> links, std::int64_t pairs) {
    for (const LinkId link : links) {
      if (all_pairs_.empty() || all_pairs_[link.value()] < 0)
        chunks[link.value()] += pairs * messages;
    }
  };
  for (std::size_t x = 0; x < positions; ++x) {
    const std::size_t row = x % period;
    for (std::size_t key = 0; key < keys.keys(); ++key) {
      const Kind& from = sources[row * keys.keys() + key];
      const Kind& to = destinations[row * keys.keys() + key];
      if (from.pairs > 0) {
        const Route route = topology_.route(rank(x), rank(from.other + x - row));
        add(climbing(route), from.pairs);
      }
      if (to.pairs > 0) {
        const Route route = topology_.route(rank(to.other + x - row), rank(x));
        add(descending(route), to.pairs);
      }
    }
  }
  for (std::size_t i = 0; i < all_pairs_.size(); ++i) {
    if (all_pairs_[i] > 0) chunks[i] += all_pairs_[i] * messages;
  }
}

// Pairs of all ranks over every link, of machines that have such in closed form.
std::vector<std::int64_t> TrafficBuilder::pairs_in_closed_form() const {
  std::vector<std::int64_t> pairs(static_cast<std::size_t>(topology_.links()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = topology_.pairs_on(LinkId::from(static_cast<std::int64_t>(i)));
  }
  if (std::all_of(pairs.begin(), pairs.end(), [](std::int64_t n) { return n < 0; })) pairs.clear();
  return pairs;
}

// Chunk messages on every link over a whole stage whose peers vary.
std::vector<std::int64_t> TrafficBuilder::count_varying(std::size_t s) const {
  std::vector<std::int64_t> chunks(static_cast<std::size_t>(topology_.links()), 0);
  for (const ChannelGroup& group : groups_) {
    const Stage& stage = group.schedule->stages[s];
    for (const PhaseGroup& phases : stage.groups) {
      for (const Phase& phase : phases.phases) {
        if (!phase.peer_out.exists()) continue;
        const std::int32_t positions = group.schedule->positions();
        // Other patterns on links that no tree explains are counted one by one.
        const bool by_link = !all_pairs_.empty() && !meets_all(phase, stage.repeat, positions);
        if (by_link || pairs_of(phase, stage.repeat, positions) <= few_pairs) {
          count_by_link(group, phase, stage.repeat, chunks);
        } else {
          count_pairs(group, phase, stage.repeat, chunks);
        }
      }
    }
  }
  return chunks;
}

}  // namespace fabricast
