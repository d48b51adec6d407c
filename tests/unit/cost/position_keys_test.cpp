#include "emulator/cost/position_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Nodes of six, in a ring or a line, two on a leaf of each of six rails that nothing joins.
std::shared_ptr<const Topology> rail_only(int nodes, bool wraps) {
  return parse_machine(
      fmt::format(
          "name: t\ntitle: t\nkind: nested\ncount: [{}, assumed, t]\n"
          "channels: [4, assumed, t]\n"
          "node:\n  kind: single_node\n  gpus: [6, assumed, t]\n"
          "  gpu: {{name: G, generation: other}}\n  channels: [4, assumed, t]\n"
          "  interconnect: {{kind: nvlink, bandwidth: [70 GB/s, assumed, t], latency: [1 us, "
          "assumed, t], shape: torus, axes: [{{size: [6, assumed, t], wraps: [{}, assumed, "
          "t]}}]}}\n"
          "fabric:\n  kind: rail_only\n  name: ethernet\n"
          "  nic: {{bandwidth: [10 GB/s, assumed, t], latency: [2 us, assumed, t]}}\n"
          "  hop_latency: [0.5 us, assumed, t]\n  radix: [64, assumed, t]\n"
          "  domains_per_leaf: [2, assumed, t]\n",
          nodes, wraps ? "yes" : "no"),
      "t");
}

// Another machine, whose routes are counted.
class CountedRoutes final : public Topology {
 public:
  explicit CountedRoutes(const Topology& inner) : inner_(inner) {
    space_ = inner.space();
    classes_ = inner.link_classes();
  }
  std::int64_t links() const override { return inner_.links(); }
  LinkClassId link_class(LinkId link) const override { return inner_.link_class(link); }
  std::string link_name(LinkId link) const override { return inner_.link_name(link); }
  Route route(RankId a, RankId b) const override {
    ++routes;
    return inner_.route(a, b);
  }
  mutable std::int64_t routes = 0;

 private:
  const Topology& inner_;
};

std::vector<std::int32_t> all_ranks(const Topology& machine) {
  std::vector<std::int32_t> ranks(static_cast<std::size_t>(machine.ranks()));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

// A rank in the middle of a line is nowhere as far from the others as one at its end.
TEST(PositionKeys, LookAtFewRoutesPerRankWhateverTheShapeOfADomain) {
  for (const bool wraps : {true, false}) {
    const auto machine = rail_only(40, wraps);
    const CountedRoutes counted(*machine);
    const PositionKeys keys(counted, all_ranks(*machine));
    EXPECT_LE(counted.routes, 4 * machine->ranks()) << wraps;
  }
}

// Links on the way to another rail say nothing about where in the tree a rank is.
TEST(PositionKeys, TellLeavesApartWhereRailsAreNotJoined) {
  const auto machine = rail_only(40, true);
  const PositionKeys keys(*machine, all_ranks(*machine));
  const std::size_t same_leaf = keys.key(0, 6), other_leaf = keys.key(0, 12);
  EXPECT_NE(same_leaf, other_leaf);
  EXPECT_EQ(keys.key(3, 9), same_leaf) << "on another rail";
  EXPECT_NE(keys.key(3, 10), same_leaf) << "to another rail";
  EXPECT_NE(keys.key(3, 10), keys.key(3, 16)) << "of the same and of another leaf";
  EXPECT_EQ(keys.key(0, 39 * 6), other_leaf);
  EXPECT_EQ(keys.key(0, 1) & 1, 0u) << "one domain";
  EXPECT_EQ(keys.period(), 12u) << "two nodes of a leaf";
  std::size_t runs = 0;
  keys.for_shift(13, keys.positions(), [&](std::size_t, std::size_t, std::size_t) { ++runs; });
  EXPECT_LE(runs, 2u * 40 + 1) << "members of a node are alike";
}

struct Hops {
  std::array<int, 8> of_class{};
  bool operator==(const Hops&) const = default;
};

Hops hops(const Topology& machine, std::int32_t a, std::int32_t b) {
  Hops counted;
  const Route route = machine.route(RankId::from(a), RankId::from(b));
  for (const LinkId link : route.span()) {
    ++counted.of_class.at(machine.link_class(link).value());
  }
  return counted;
}

// What is charged by key: pairs of one key that cross other links would be charged wrongly. A small
// radix, so that a few nodes have all levels.
TEST(PositionKeys, PairsOfOneKeyCrossAsManyLinksOfEveryClass) {
  using Set = std::vector<std::string>;
  for (const auto& [name, set] :
       {std::pair{"rail-only-h100x256", Set{"count=24", "fabric.radix=8", "fabric.tiers=3"}},
        std::pair{"rail-only-h100x256",
                  Set{"count=24", "fabric.radix=8", "fabric.rails=4", "fabric.tiers=3"}},
        std::pair{"rail-only-h100x256",
                  Set{"count=12", "fabric.radix=64", "fabric.nic.per_node=4", "fabric.rails=4"}},
        std::pair{"hgx-h100x24", Set{"fabric.radix=32", "fabric.tiers=3"}},
        std::pair{"hgx-h100x24", Set{"fabric.radix=32", "fabric.rails=1", "fabric.tiers=3"}}}) {
    const auto machine = load_machine(name, set);
    const PositionKeys keys(*machine, all_ranks(*machine));
    std::map<std::size_t, Hops> known;
    for (std::int32_t a = 0; a < machine->ranks(); ++a) {
      for (std::int32_t b = 0; b < machine->ranks(); ++b) {
        if (a == b) continue;
        const std::size_t key = keys.key(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
        const Hops crossed = hops(*machine, a, b);
        ASSERT_EQ(known.try_emplace(key, crossed).first->second, crossed)
            << name << " " << fmt::to_string(fmt::join(set, " ")) << ": " << a << " to " << b;
      }
    }
  }
}

// Nodes of three kinds under a tree of three levels.
std::shared_ptr<const Topology> unlike_nodes() {
  return parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [9, assumed, t]\nothers:\n"
      "  - {node: hgx-h200, count: [7, assumed, t], nic: {bandwidth: [200 Gbit/s, assumed, t]}}\n"
      "  - {count: [3, assumed, t], nic: {bandwidth: [100 Gbit/s, assumed, t]}}\n"
      "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: roce\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t]}\n"
      "  rails: [8, assumed, t]\n  radix: [16, assumed, t]\n  tiers: [3, assumed, t]\n"
      "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
      "m.yaml");
}

TEST(PositionKeys, TellKindsOfNodesApart) {
  const auto machine = unlike_nodes();
  const PositionKeys keys(*machine, all_ranks(*machine));
  EXPECT_EQ(keys.period(), keys.positions());
  const std::size_t p = keys.positions();
  std::map<std::size_t, Hops> known;
  std::vector<std::int64_t> peers(p * keys.keys(), 0);
  for (std::size_t a = 0; a < p; ++a) {
    for (std::size_t b = 0; b < p; ++b) {
      if (a == b) continue;
      const std::size_t key = keys.key(a, b);
      ASSERT_LT(key, keys.keys());
      ++peers[a * keys.keys() + key];
      const Hops crossed =
          hops(*machine, static_cast<std::int32_t>(a), static_cast<std::int32_t>(b));
      ASSERT_EQ(known.try_emplace(key, crossed).first->second, crossed) << a << " to " << b;
    }
  }
  EXPECT_EQ(keys.peers_by_key(p), peers);
  for (std::size_t shift = 1; shift < p; ++shift) {
    keys.for_shift(shift, p, [&](std::size_t first, std::size_t length, std::size_t key) {
      for (std::size_t x = first; x < first + length; ++x) {
        ASSERT_EQ(keys.key(x, (x + shift) % p), key) << x << " + " << shift;
      }
    });
  }
}

// Far repetitions by the kinds of both ends, in runs that cannot be longer; and where they repeat.
TEST(PositionKeys, FarPairsOfUnlikeNodesAreRunsOfTwoKinds) {
  const auto machine = unlike_nodes();
  const PositionKeys keys(*machine, all_ranks(*machine));
  const RankSpace& space = machine->space();
  const std::size_t p = keys.positions();
  for (const Schedule& schedule : {pairwise_all_to_all(space), grouped_all_to_all(space)}) {
    const Stage& stage = schedule.stages.back();
    std::vector<std::size_t> of_last;
    std::int32_t last = -1;
    int far = 0, repeated = 0;
    for (std::int32_t k = 0; k < stage.repeat; ++k) {
      const PeerMap& map = stage.groups.front().phases.front().peer_out;
      if (!keys.all_far(map, space, k)) continue;
      ++far;
      std::vector<std::size_t> of_all(p);
      std::size_t next = 0, runs = 0;
      keys.for_far(map, space, k, p, [&](std::size_t first, std::size_t length, std::size_t key) {
        ASSERT_EQ(first, next);
        ASSERT_TRUE(first == 0 || of_all[first - 1] != key) << "one run";
        next = first + length;
        std::fill(of_all.begin() + static_cast<std::ptrdiff_t>(first),
                  of_all.begin() + static_cast<std::ptrdiff_t>(next), key);
        ++runs;
      });
      ASSERT_EQ(next, p);
      EXPECT_LE(runs, 6u) << "two ends of three kinds each";
      for (std::size_t x = 0; x < p; ++x) {
        const std::int32_t y = peer_of(map, space, static_cast<std::int32_t>(x), k);
        ASSERT_EQ(of_all[x], keys.key(x, static_cast<std::size_t>(y))) << x << " to " << y;
      }
      if (last >= 0 && keys.far_keys_repeat(map, space, last, k)) {
        ++repeated;
        ASSERT_EQ(of_all, of_last) << schedule.algorithm << ' ' << last << ' ' << k;
      }
      of_last = of_all;
      last = k;
    }
    EXPECT_GT(far, stage.repeat / 2) << schedule.algorithm;
    EXPECT_EQ(repeated > 0, schedule.algorithm == "grouped") << schedule.algorithm;
  }
}

// Runs, shifts without near pairs and counts say what asking for every pair says: equal groups, a
// last one that is partly filled, rails that nothing joins, and rails of which several share a
// leaf.
TEST(PositionKeys, ShortCutsSayWhatEveryPairSays) {
  using Set = std::vector<std::string>;
  for (const auto& [name, set] :
       {std::pair{"rail-only-h100x256", Set{"count=12", "fabric.radix=8"}},
        std::pair{"hgx-h100x24", Set{"fabric.radix=32", "fabric.tiers=3"}},
        std::pair{"hgx-h100x21", Set{"fabric.radix=32", "fabric.tiers=3"}},
        std::pair{"hgx-h100x21", Set{"fabric.radix=64", "fabric.rails=2", "fabric.tiers=3"}},
        std::pair{"mi250x-8x40@slingshot-11", Set{"fabric.routers_per_group=4"}}}) {
    const auto machine = load_machine(name, set);
    const PositionKeys keys(*machine, all_ranks(*machine));
    const std::size_t p = keys.positions();
    const std::size_t one_rail = keys.rail(0) != keys.rail(p - 1) ? keys.keys() / 2 : 0;
    std::vector<std::int64_t> peers(p * keys.keys(), 0);
    for (std::size_t shift = 1; shift < p; ++shift) {
      std::size_t next = 0;
      std::set<std::size_t> seen;
      keys.for_shift(shift, p, [&](std::size_t first, std::size_t length, std::size_t key) {
        ASSERT_EQ(first, next) << name;
        for (std::size_t x = first; x < first + length; ++x) {
          ASSERT_EQ(keys.key(x, (x + shift) % p), key) << name << " " << x << " + " << shift;
          ++peers[x * keys.keys() + key];
          seen.insert(key);
        }
        next = first + length;
      });
      ASSERT_EQ(next, p);
      const auto k = static_cast<std::int32_t>(shift) - 1;
      const PeerMap map = PeerMap::linear(1, 1);
      // Nothing is shared, but that all may be on one rail.
      const bool far = seen.size() == 1 && (*seen.begin() | one_rail) == keys.keys() - 1;
      EXPECT_EQ(keys.all_far(map, machine->space(), k), far) << name << " " << shift;
      if (!far) continue;
      EXPECT_EQ(keys.far_key(map, machine->space(), k), *seen.begin());
    }
    EXPECT_EQ(keys.peers_by_key(p), peers) << name;
    peers.resize(8 * keys.keys());
    EXPECT_EQ(keys.peers_by_key(8), peers) << name;
  }
}

}  // namespace
}  // namespace fabricast
