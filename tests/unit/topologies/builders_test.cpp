#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "tests/unit/topologies/route_checks.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

RankId rank(std::int64_t value) { return RankId::from(value); }

std::vector<std::string> route_names(const Topology& machine, std::int64_t a, std::int64_t b) {
  std::vector<std::string> names;
  const Route route = machine.route(rank(a), rank(b));
  for (const LinkId link : route.span()) names.push_back(machine.link_name(link));
  return names;
}

double route_latency(const Topology& machine, std::int64_t a, std::int64_t b) {
  double us = 0;
  const Route route = machine.route(rank(a), rank(b));
  for (const LinkId link : route.span()) {
    us += machine.link_classes()[machine.link_class(link).value()].latency.value;
  }
  return us;
}

const LinkClass& class_named(const Topology& machine, std::string_view name) {
  for (const auto& link_class : machine.link_classes()) {
    if (link_class.name == name) return link_class;
  }
  throw std::out_of_range("no such class");
}

using Names = std::vector<std::string>;

TEST(SingleDomain, RoutesUpAndDown) {
  const auto machine = parse_machine(node_yaml(8), "t");
  EXPECT_EQ(machine->ranks(), 8);
  EXPECT_EQ(machine->links(), 16);
  EXPECT_EQ(machine->space(), RankSpace({8}));
  EXPECT_EQ(machine->fabric(), "none");
  EXPECT_EQ(route_names(*machine, 2, 5),
            (Names{"node 0 gpu 2 nvlink up", "node 0 gpu 5 nvlink down"}));
  EXPECT_DOUBLE_EQ(route_latency(*machine, 2, 5), 0.3);
  expect_dense_links(*machine);
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) expect_sound_route(*machine, rank(a), rank(b));
  }
}

TEST(SingleDomain, OneGpuHasNoLinks) {
  const auto machine = parse_machine(node_yaml(1), "t");
  EXPECT_EQ(machine->links(), 0);
  EXPECT_TRUE(machine->link_classes().empty());
  EXPECT_EQ(machine->route(rank(0), rank(0)).count, 0);
}

TEST(SingleDomain, RackNamesItsTrays) {
  const auto machine = load_machine("gb300-nvl72");
  EXPECT_EQ(route_names(*machine, 17, 71),
            (Names{"rack 0 tray 4 gpu 17 nvlink up", "rack 0 tray 17 gpu 71 nvlink down"}));
  expect_dense_links(*machine);
}

// 8 boxes of 4 GPUs, radix 8: a leaf takes 4 boxes, two groups of 4 leaves.
TEST(RailFatTree, TwoTierRoutes) {
  const auto machine = parse_machine(tree_yaml({}), "t");
  EXPECT_EQ(machine->space(), RankSpace({4, 8}));
  EXPECT_EQ(machine->links(), 2 * 32 + 2 * 32 + 2 * 8);
  EXPECT_EQ(route_names(*machine, 0, 3),
            (Names{"node 0 gpu 0 nvlink up", "node 0 gpu 3 nvlink down"}));
  EXPECT_EQ(route_names(*machine, 1, 13), (Names{"node 0 nic 1 up", "node 3 nic 1 down"}))
      << "same rail, same leaf";
  EXPECT_EQ(route_names(*machine, 1, 14),
            (Names{"node 0 nic 1 up", "group 0 rail 1 leaf trunk up",
                   "group 0 rail 2 leaf trunk down", "node 3 nic 2 down"}))
      << "changing rail goes through the spine";
  EXPECT_EQ(route_names(*machine, 1, 29),
            (Names{"node 0 nic 1 up", "group 0 rail 1 leaf trunk up",
                   "group 1 rail 1 leaf trunk down", "node 7 nic 1 down"}));
  EXPECT_DOUBLE_EQ(route_latency(*machine, 1, 13), 2.8);
  EXPECT_DOUBLE_EQ(route_latency(*machine, 1, 29), 3.7) << "two more switch hops";
  EXPECT_EQ(class_named(*machine, "leaf_uplink").bandwidth.value, 4 * 50.0);
}

// 3 tiers of radix 8, 2 rails: a leaf takes 4 boxes of 2 GPUs, a pod 2 groups.
TEST(RailFatTree, ThreeTierRoutes) {
  const auto machine = parse_machine(
      tree_yaml({.domains = 32, .gpus = 2, .nics = 2, .rails = 2, .tiers = 3, .radix = 8}), "t");
  const auto& tree = dynamic_cast<const RailFatTree&>(*machine);
  EXPECT_EQ(tree.nics(), 64);
  EXPECT_EQ(tree.leaves(), 16);
  EXPECT_EQ(tree.pods(), 4);
  EXPECT_EQ(
      route_names(*machine, 1, 63),
      (Names{"node 0 nic 1 up", "group 0 rail 1 leaf trunk up", "pod 0 spine trunk up",
             "pod 3 spine trunk down", "group 7 rail 1 leaf trunk down", "node 31 nic 1 down"}));
  EXPECT_EQ(machine->route(rank(1), rank(8)).count, 4) << "same group, other rail";
  EXPECT_EQ(machine->route(rank(0), rank(8)).count, 4) << "same pod, other group";
  EXPECT_DOUBLE_EQ(route_latency(*machine, 1, 63), 2.8 + 4 * 0.45);
  EXPECT_EQ(class_named(*machine, "spine_uplink").bandwidth.value, 2 * 2 * 4 * 50.0);
  EXPECT_EQ(class_named(*machine, "spine_uplink").bandwidth.origin, Origin::assumed);
}

TEST(RailFatTree, OversubscriptionIsACapacity) {
  // 3 : 1 at the leaf: 6 of 8 ports down.
  const auto machine = parse_machine(tree_yaml({.domains = 12, .oversubscription = 3}), "t");
  EXPECT_EQ(class_named(*machine, "leaf_uplink").bandwidth.value, 6 * 50.0 / 3);
  const auto core = parse_machine(tree_yaml({.domains = 32,
                                             .gpus = 2,
                                             .nics = 2,
                                             .rails = 2,
                                             .tiers = 3,
                                             .core_oversubscription = 2}),
                                  "t");
  EXPECT_EQ(class_named(*core, "spine_uplink").bandwidth.value, 2 * 2 * 4 * 50.0 / 2)
      << "5 of 8 spine ports down: still two groups of two leaves";
}

TEST(RailFatTree, SharedNicsAndSingleGpuDomains) {
  const auto shared = parse_machine(tree_yaml({.gpus = 4, .nics = 2, .rails = 2}), "t");
  EXPECT_EQ(shared->links(), 2 * 32 + 2 * 16 + 2 * 4);
  EXPECT_EQ(route_names(*shared, 1, 5), (Names{"node 0 nic 0 up", "node 1 nic 0 down"}));
  EXPECT_EQ(route_names(*shared, 2, 7), (Names{"node 0 nic 1 up", "node 1 nic 1 down"}));
  const auto single = parse_machine(tree_yaml({.gpus = 1, .nics = 1, .rails = 1}), "t");
  EXPECT_EQ(single->links(), 2 * 8 + 2 * 2);
  EXPECT_EQ(single->link_classes()[0].name, "nic");
  expect_dense_links(*single);
  for (int b = 0; b < 8; ++b) expect_sound_route(*single, rank(0), rank(b));
}

// Half of the machine sends to the other half: a non-blocking tree carries N/2 NICs at full rate.
TEST(RailFatTree, BisectionOfANonBlockingTreeIsHalfTheNics) {
  for (const TreeShape& shape :
       {TreeShape{.domains = 8},
        TreeShape{.domains = 16, .gpus = 4, .nics = 4, .rails = 2, .radix = 16},
        TreeShape{.domains = 32, .gpus = 2, .nics = 2, .rails = 2, .tiers = 3}}) {
    const auto machine = parse_machine(tree_yaml(shape), "t");
    const std::int64_t half = machine->ranks() / 2;
    // Loads of the pairing a -> a + N/2, in units of one NIC, and the trunks they cross.
    std::vector<double> load(static_cast<std::size_t>(machine->links()));
    for (std::int64_t a = 0; a < half; ++a) {
      const Route route = machine->route(rank(a), rank(a + half));
      for (const LinkId link : route.span()) load[link.value()] += 50.0;
    }
    double crossing = 0;
    const LinkKind top = shape.tiers == 3 ? LinkKind::spine_uplink : LinkKind::leaf_uplink;
    for (std::int64_t id = 0; id < machine->links(); ++id) {
      const auto& link_class =
          machine->link_classes()[machine->link_class(LinkId::from(id)).value()];
      EXPECT_LE(load[static_cast<std::size_t>(id)], link_class.bandwidth.value)
          << machine->link_name(LinkId::from(id));
      if (link_class.kind == top && load[static_cast<std::size_t>(id)] > 0) {
        crossing += link_class.bandwidth.value / 2;  // counted on the way up and down
      }
    }
    EXPECT_EQ(crossing, static_cast<double>(half) * 50.0);
  }
}

TEST(RailFatTree, SeededMachinesHaveSoundRoutes) {
  int tested = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto pick = [&](std::uint64_t what, std::initializer_list<int> from) {
      return from.begin()[random_int(seed, what, 0, 0, static_cast<std::int64_t>(from.size()) - 1)];
    };
    TreeShape shape;
    shape.gpus = pick(1, {1, 2, 4, 6, 8, 12});
    const int sharing = pick(2, {1, 1, 2});
    shape.nics = shape.gpus % sharing == 0 ? shape.gpus / sharing : shape.gpus;
    const int spread = pick(3, {1, 2, 4});
    shape.rails = shape.nics % spread == 0 ? shape.nics / spread : shape.nics;
    shape.tiers = pick(4, {2, 3});
    shape.radix = pick(5, {32, 36, 64});
    shape.oversubscription = pick(6, {1, 2, 3});
    shape.domains = static_cast<int>(random_int(seed, 7, 0, 2, shape.tiers == 2 ? 30 : 200));
    const auto machine = parse_machine(tree_yaml(shape), "t");
    if (seed % 10 == 0) expect_dense_links(*machine);
    for (std::uint64_t i = 0; i < 40; ++i) {
      const auto a = random_int(seed, 8, i, 0, machine->ranks() - 1);
      // Half of the pairs are neighbours, so that all branches are met.
      const auto b = i % 2 == 0
                         ? random_int(seed, 9, i, 0, machine->ranks() - 1)
                         : (a + random_int(seed, 10, i, 0, 2L * shape.gpus)) % machine->ranks();
      expect_sound_route(*machine, rank(a), rank(b));
      ++tested;
    }
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << "\n" << tree_yaml(shape);
  }
  EXPECT_EQ(tested, 150 * 40);
}

TEST(RailFatTree, RoutesOfTheReferenceClustersAreFast) {
  const auto machine = load_machine("hgx-h100x1260");
  std::uint64_t sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  constexpr int routes = 200'000;
  for (int i = 0; i < routes; ++i) {
    const auto a = static_cast<std::uint32_t>(i) % 10080u;
    sum += machine->route(RankId(a), RankId((a * 7919u + 13u) % 10080u)).links[0].value();
  }
  const double ns =
      std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() /
      routes;
  RecordProperty("ns_per_route", static_cast<int>(ns));
  EXPECT_GT(sum, 0u);
  // The aim is 100 ns in Release; the bound leaves room for sanitizers and a loaded machine.
  EXPECT_LT(ns, 5000);
}

}  // namespace
}  // namespace fabricast
