#include "emulator/cost/position_keys.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/cost/edge_class.hpp"

namespace fabricast {
namespace {

// The links of a route from its NIC on. Before it a message may change rail inside its domain, over
// links that say whom it goes to, not where in the tree it starts.
Route network_route(const Topology& topology, std::int32_t rank, std::int32_t peer) {
  const Route route = topology.route(RankId::from(rank), RankId::from(peer));
  Route network;
  for (const LinkId link : route.span()) {
    if (is_network(topology.link_classes()[topology.link_class(link).value()].kind)) {
      network.add(link);
    }
  }
  return network;
}

// Network links of the longest route to another domain. Every rank has one that long, to or from
// wherever rank 0 finds it, whatever the shape of its domain.
int depth_of(const Topology& topology) {
  int depth = 0;
  for (std::int32_t peer = topology.space().domain_size(); peer < topology.ranks(); ++peer) {
    depth = std::max(depth, network_route(topology, 0, peer).count);
  }
  return depth;
}

// The network part of a route that climbs as far as any: the first such, searched from the domain
// half-way round the machine, where other groups are, and its first member on, so that all ranks of
// a domain get one rail where a message takes its destination's. A few peers are looked at, because
// on the same rail a way may be shorter.
Route far_route(const Topology& topology, std::int32_t rank, int depth) {
  const std::int32_t size = topology.ranks();
  const std::int32_t domain = topology.space().domain_size();
  const std::int32_t first = (rank + size / 2) / domain * domain;
  const std::int32_t node = topology.node_of(RankId::from(rank));
  Route longest;
  for (std::int32_t i = 0; i < size && longest.count < depth; ++i) {
    const std::int32_t peer = (first + i) % size;
    if (topology.node_of(RankId::from(peer)) == node) continue;
    const Route route = network_route(topology, rank, peer);
    if (route.count > longest.count) longest = route;
  }
  return longest;
}

// Does a message to a member of another domain go out of the rank's own NIC and no other way?
bool goes_straight(const Topology& topology, std::int32_t rank, std::int32_t member) {
  const std::int32_t domain = topology.space().domain_size();
  const std::int32_t other =
      (rank / domain + topology.ranks() / domain / 2) % (topology.ranks() / domain);
  const auto peer = RankId::from(other * domain + member);
  if (topology.node_of(peer) == topology.node_of(RankId::from(rank))) return true;
  const Route route = topology.route(RankId::from(rank), peer);
  const auto links = route.span();
  return std::all_of(links.begin(), links.end(), [&](LinkId link) {
    return is_network(topology.link_classes()[topology.link_class(link).value()].kind);
  });
}

// For every rank the first member of other domains that it reaches without a way through its own.
// Members are alike in most domains, so that of the domain before is tried first. Empty where all
// reach all, or a rank not even its like.
std::vector<std::int32_t> rails_of(const Topology& topology, std::span<const std::int32_t> ranks) {
  const std::int32_t domain = topology.space().domain_size();
  std::vector<std::int32_t> rails, known, of_member(static_cast<std::size_t>(domain), 0);
  for (const std::int32_t rank : ranks) {
    std::int32_t& rail = of_member[static_cast<std::size_t>(rank % domain)];
    if (!goes_straight(topology, rank, rail)) {
      const auto found = std::find_if(known.begin(), known.end(), [&](std::int32_t member) {
        return goes_straight(topology, rank, member);
      });
      if (found == known.end() && !goes_straight(topology, rank, rank % domain)) return {};
      rail = found == known.end() ? rank % domain : *found;
    }
    if (std::find(known.begin(), known.end(), rail) == known.end()) known.push_back(rail);
    rails.push_back(rail);
  }
  if (known.size() < 2) rails.clear();
  return rails;
}

// The step between neighbours of ascending positions; 0: they differ.
std::size_t step_of(const std::vector<std::size_t>& positions) {
  if (positions.size() < 2) return 1;
  const std::size_t step = positions[1] - positions[0];
  for (std::size_t i = 2; i < positions.size(); ++i) {
    if (positions[i] - positions[i - 1] != step) return 0;
  }
  return step;
}

}  // namespace

PositionKeys::PositionKeys(const Topology& topology, std::span<const std::int32_t> ranks) {
  const std::size_t p = ranks.size();
  const int depth = depth_of(topology);
  std::vector<std::vector<std::int32_t>> all(1, std::vector<std::int32_t>(p));
  for (std::size_t x = 0; x < p; ++x) {
    const std::int32_t rank = ranks[x];
    all[0][x] = topology.node_of(RankId::from(rank));
    const Route far = far_route(topology, rank, depth);
    // The first half of a route climbs; its first link belongs to the rank (or its NIC) alone.
    const int climb = (far.count + 1) / 2;
    for (int i = 1; i < climb; ++i) {
      const auto f = static_cast<std::size_t>(i);
      if (all.size() <= f) all.resize(f + 1, std::vector<std::int32_t>(p, -1));
      all[f][x] = static_cast<std::int32_t>(far.links[f].value());
    }
  }
  rails_ = rails_of(topology, ranks);
  attachments_ = std::move(all);
  if (topology.kinds() > 1) find_kinds(topology, ranks);
  run_end_.assign(p, static_cast<std::int32_t>(p));
  for (std::size_t x = p; x-- > 1;) {
    run_end_[x - 1] = shares_all(x - 1, x) ? run_end_[x] : static_cast<std::int32_t>(x);
  }
  const std::size_t plain_period = find_plain_period();
  period_ = kinds_ == 1 ? plain_period : p;
  exchange_groups_ = find_exchange_groups();
  find_near(plain_period);
  if (!rails_.empty()) find_rails_after();
}

void PositionKeys::find_kinds(const Topology& topology, std::span<const std::int32_t> ranks) {
  kinds_ = static_cast<std::size_t>(topology.kinds());
  for (const std::int32_t rank : ranks) {
    kind_of_.push_back(static_cast<std::uint8_t>(topology.kind_of(RankId::from(rank))));
  }
  const std::size_t p = ranks.size();
  kind_end_.assign(p, static_cast<std::int32_t>(p));
  kind_step_ = static_cast<std::int32_t>(p);
  for (std::size_t x = p; x-- > 1;) {
    const bool ends = kind_of_[x - 1] != kind_of_[x];
    kind_end_[x - 1] = ends ? static_cast<std::int32_t>(x) : kind_end_[x];
    kind_step_ = std::gcd(kind_step_, kind_end_[x - 1]);
  }
}

void PositionKeys::plain_keys_of_pairs(std::size_t x, std::size_t y,
                                       std::span<std::uint16_t> keys) const {
  std::fill(keys.begin(), keys.end(), std::uint16_t{0});
  const auto add = [&](const std::vector<std::int32_t>& labels, std::size_t bit) {
    const std::int32_t own = labels[x];
    const std::int32_t* others = labels.data() + y;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] =
          static_cast<std::uint16_t>(keys[i] | static_cast<unsigned>(others[i] != own) << bit);
    }
  };
  for (std::size_t f = 0; f < attachments_.size(); ++f) add(attachments_[f], f);
  if (!rails_.empty()) add(rails_, attachments_.size());
}

// How far apart positions that share something are. Those of a switch mostly come in equal steps;
// where they do not, all pairs of one period are looked at, and left alone where that are too many.
void PositionKeys::find_near(std::size_t plain_period) {
  constexpr std::size_t most_pairs = 20'000'000;
  const std::size_t p = positions();
  std::vector<bool> near(p, false);
  std::map<std::size_t, std::size_t> longest;  // by step
  std::size_t pairs = 0;
  for (const auto& labels : attachments_) {
    std::map<std::int32_t, std::vector<std::size_t>> members;
    for (std::size_t x = 0; x < p; ++x) members[labels[x]].push_back(x);
    for (const auto& [label, all] : members) {
      if (const std::size_t step = step_of(all)) {
        longest[step] = std::max(longest[step], all.size());
        continue;
      }
      for (const std::size_t x : all) {
        if (x >= plain_period) break;
        pairs += all.size();
        if (pairs > most_pairs) return;
        for (const std::size_t y : all) near[(y + p - x) % p] = true;
      }
    }
  }
  for (const auto& [step, count] : longest) {
    for (std::size_t i = 0; i < count; ++i) near[i * step] = near[(p - i * step) % p] = true;
  }
  near_ = std::move(near);
}

// Rails repeat with the domains, and where two are the same they are so from domain to domain.
void PositionKeys::find_rails_after() {
  const std::size_t p = positions();
  std::size_t period = 1;
  while (p % period != 0 || !std::equal(rails_.begin() + static_cast<std::ptrdiff_t>(period),
                                        rails_.end(), rails_.begin())) {
    ++period;
  }
  rails_after_.clear();
  for (std::size_t shift = 0; shift < period; ++shift) {
    std::size_t same = 0;
    for (std::size_t x = 0; x < period; ++x) {
      same += rails_[x] == rails_[(x + shift) % period] ? 1 : 0;
    }
    rails_after_.push_back(same == 0        ? OneRail::none
                           : same == period ? OneRail::all
                                            : OneRail::some);
  }
}

bool PositionKeys::all_far(const PeerMap& map, const RankSpace& space, std::int32_t k) const {
  if (near_.empty()) return false;
  const auto first = static_cast<std::size_t>(peer_of(map, space, 0, k));
  const OneRail on_rail = rails_after_[first % rails_after_.size()];
  if (near_[first] || on_rail == OneRail::some) return false;
  if (map.kind == PeerMap::Kind::linear) return true;
  if (map.kind != PeerMap::Kind::rounds) return false;
  // Positions of a block that go round in digit 0 are a block nearer.
  const auto radix = static_cast<std::size_t>(space.radix(0));
  const std::size_t wrapped = (first + positions() - radix) % positions();
  return first % radix == 0 ||
         (!near_[wrapped] && rails_after_[wrapped % rails_after_.size()] == on_rail);
}

std::size_t PositionKeys::far_key(const PeerMap& map, const RankSpace& space,
                                  std::int32_t k) const {
  const auto first = static_cast<std::size_t>(peer_of(map, space, 0, k));
  const bool on_rail = rails_after_[first % rails_after_.size()] == OneRail::all;
  return plain_keys() - 1 - (on_rail ? std::size_t{1} << attachments_.size() : 0);
}

bool PositionKeys::far_keys_repeat(const PeerMap& map, const RankSpace& space, std::int32_t before,
                                   std::int32_t k) const {
  if (far_key(map, space, before) != far_key(map, space, k)) return false;
  if (kinds_ == 1) return true;
  // Blocks of one kind go to the same blocks.
  return map.kind == PeerMap::Kind::rounds && kind_step_ % space.radix(0) == 0 &&
         peer_of(map, space, 0, before) / space.radix(0) ==
             peer_of(map, space, 0, k) / space.radix(0);
}

std::vector<std::vector<std::int32_t>> PositionKeys::partitions() const {
  auto all = attachments_;
  if (!rails_.empty()) all.push_back(rails_);
  return all;
}

// Those that share all of some attachments are counted for every choice of them, and of these those
// that share more are taken off again. Of each kind by itself.
std::vector<std::int64_t> PositionKeys::peers_by_key(std::size_t end) const {
  const std::size_t p = positions(), choices = plain_keys();
  const auto partitions = this->partitions();
  std::vector<std::int64_t> peers(end * keys());
  // Where the counts of x with those of one kind begin.
  const auto row = [&](std::size_t x, std::size_t kind) {
    return peers.data() + x * keys() + (kind_of(x) * kinds_ + kind) * choices;
  };
  std::vector<std::vector<std::int32_t>> parts(choices, std::vector<std::int32_t>(p, 0));
  for (std::size_t shared = 0; shared < choices; ++shared) {
    std::int32_t count = 1;
    if (shared > 0) {
      // The part of a smaller choice, parted by one attachment more.
      const auto f = static_cast<std::size_t>(std::countr_zero(shared));
      const auto& coarser = parts[shared & (shared - 1)];
      std::unordered_map<std::uint64_t, std::int32_t> known;
      for (std::size_t x = 0; x < p; ++x) {
        const std::uint64_t pair = std::uint64_t{static_cast<std::uint32_t>(coarser[x])} << 32 |
                                   static_cast<std::uint32_t>(partitions[f][x]);
        parts[shared][x] =
            known.try_emplace(pair, static_cast<std::int32_t>(known.size())).first->second;
      }
      count = static_cast<std::int32_t>(known.size());
    }
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(count) * kinds_, 0);
    for (std::size_t x = 0; x < p; ++x) {
      ++sizes[static_cast<std::size_t>(parts[shared][x]) * kinds_ + kind_of(x)];
    }
    const std::size_t key = choices - 1 - shared;  // what is not shared differs
    for (std::size_t x = 0; x < end; ++x) {
      for (std::size_t kind = 0; kind < kinds_; ++kind) {
        row(x, kind)[key] = sizes[static_cast<std::size_t>(parts[shared][x]) * kinds_ + kind];
      }
    }
  }
  for (std::size_t x = 0; x < end; ++x) {
    for (std::size_t kind = 0; kind < kinds_; ++kind) {
      std::int64_t* of_x = row(x, kind);
      for (std::size_t bit = 1; bit < choices; bit <<= 1) {
        for (std::size_t key = 0; key < choices; ++key) {
          if ((key & bit) != 0) of_x[key] -= of_x[key ^ bit];
        }
      }
    }
    --row(x, kind_of(x))[0];  // itself
  }
  return peers;
}

// Which positions share an attachment is a partition; it is given by the distance from each
// position to the next, cyclically, of its part. The partition is invariant under a shift exactly
// when the distances are. Of the positions without their kinds.
std::size_t PositionKeys::find_plain_period() const {
  const std::size_t p = positions();
  std::vector<std::vector<std::size_t>> distances;
  const auto partitions = this->partitions();
  for (const auto& labels : partitions) {
    std::map<std::int32_t, std::size_t> next;
    std::vector<std::size_t> distance(p, 0);
    for (std::size_t i = 2 * p; i-- > 0;) {  // twice round, so that every position has a next one
      const auto found = next.find(labels[i % p]);
      if (i < p) distance[i] = found->second - i;
      next[labels[i % p]] = i;
    }
    distances.push_back(std::move(distance));
  }
  for (std::size_t period = 1; period < p; ++period) {
    if (p % period != 0) continue;
    const bool invariant = std::all_of(distances.begin(), distances.end(), [&](const auto& d) {
      for (std::size_t x = 0; x + period < p; ++x) {
        if (d[x] != d[x + period]) return false;
      }
      return true;
    });
    if (invariant) return period;
  }
  return p;
}

}  // namespace fabricast
