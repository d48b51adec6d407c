#include "emulator/cost/position_keys.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include <fmt/format.h>

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
  EXPECT_EQ(keys.key(3, 10), same_leaf) << "to another rail";
  EXPECT_EQ(keys.key(0, 39 * 6), other_leaf);
  EXPECT_EQ(keys.key(0, 1) & 1, 0u) << "one domain";
  EXPECT_EQ(keys.period(), 12u) << "two nodes of a leaf";
  std::size_t runs = 0;
  keys.for_shift(13, keys.positions(), [&](std::size_t, std::size_t, std::size_t) { ++runs; });
  EXPECT_LE(runs, 2u * 40 + 1) << "members of a node are alike";
}

}  // namespace
}  // namespace fabricast
