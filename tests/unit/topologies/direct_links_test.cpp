// Full meshes and tori against the textbook: routes, diameter, bisection, rings.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/structure_checks.hpp"
#include "topologies/builders/structure.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct AxisShape {
  int size;
  bool wraps = true;
};

// A torus of links of 10 GB/s.
Machine torus(const std::vector<AxisShape>& axes) {
  int members = 1;
  double ways = 0;
  std::string shape = "  shape: torus\n  axes:\n";
  for (const AxisShape& axis : axes) {
    members *= axis.size;
    ways += axis.size > 2 ? 2 : axis.size - 1;
    shape += fmt::format("    - {{size: [{}, assumed, t], wraps: [{}, assumed, t]}}\n", axis.size,
                         axis.wraps ? "yes" : "no");
  }
  return parse_machine(domain_yaml(members, 10 * ways, shape), "t");
}

Machine full_mesh(int members) {
  return parse_machine(domain_yaml(members, 10.0 * (members - 1), "  shape: full_mesh\n"), "t");
}

// The ends of a direct link, from one-link routes.
std::vector<std::pair<int, int>> ends_of_links(const Topology& machine) {
  std::vector<std::pair<int, int>> ends(static_cast<std::size_t>(machine.links()), {-1, -1});
  for (std::int32_t a = 0; a < machine.ranks(); ++a) {
    for (std::int32_t b = 0; b < machine.ranks(); ++b) {
      const Route route = machine.route(rank(a), rank(b));
      if (route.count == 1) ends[route.links[0].value()] = {a, b};
    }
  }
  return ends;
}

// Every route is a walk over links from one end to the other.
void expect_walks(const Topology& machine) {
  const auto ends = ends_of_links(machine);
  for (const auto& [from, to] : ends) ASSERT_GE(from, 0) << "every link joins two members";
  for (std::int32_t a = 0; a < machine.ranks(); ++a) {
    for (std::int32_t b = 0; b < machine.ranks(); ++b) {
      int at = a;
      const Route route = machine.route(rank(a), rank(b));
      for (const LinkId link : route.span()) {
        ASSERT_EQ(ends[link.value()].first, at) << machine.link_name(link);
        at = ends[link.value()].second;
      }
      ASSERT_EQ(at, b);
    }
  }
}

// The least that crosses any cut into halves, looking at all of them.
double least_cut(const Topology& machine) {
  const auto ends = ends_of_links(machine);
  const int n = machine.ranks();
  double least = 1e300;
  for (unsigned set = 0; set < 1u << n; ++set) {
    if (std::popcount(set) != n / 2) continue;
    double out = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if ((set >> ends[i].first & 1) == 0 || (set >> ends[i].second & 1) == 1) continue;
      const auto c = machine.link_class(LinkId::from(static_cast<std::int64_t>(i)));
      out += machine.link_classes()[c.value()].bandwidth.value;
    }
    least = std::min(least, out);
  }
  return least;
}

// How many of the rings use each link.
std::set<int> ring_loads(const Topology& machine) {
  std::vector<int> load(static_cast<std::size_t>(machine.links()), 0);
  for (const auto& order : *machine.ring_orders()) {
    std::vector<std::int32_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < order.size(); ++i) {
      EXPECT_EQ(sorted[i], static_cast<std::int32_t>(i)) << "every member once";
      const Route route = machine.route(rank(order[i]), rank(order[(i + 1) % order.size()]));
      EXPECT_EQ(route.count, 1) << "neighbours";
      for (const LinkId link : route.span()) ++load[link.value()];
    }
  }
  return {load.begin(), load.end()};
}

TEST(FullMesh, EveryPairHasItsLink) {
  for (int n = 2; n <= 9; ++n) {
    const auto machine = full_mesh(n);
    EXPECT_EQ(machine->links(), n * (n - 1));
    expect_walks(*machine);
    expect_pairs_in_closed_form(*machine);
    const Structure structure = structure_of(built(machine));
    EXPECT_EQ(structure.diameter_links, 1);
    EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, 10.0 * (n / 2) * ((n + 1) / 2)) << n;
    EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, least_cut(*machine)) << n;
  }
  EXPECT_EQ(names(*full_mesh(8), 2, 5), "node 0 gpu 2 nvlink to gpu 5; ");
}

TEST(FullMesh, RingsTogetherUseAllLinksAlike) {
  EXPECT_EQ(ring_loads(*full_mesh(2)), std::set<int>{1});
  for (const int n : {4, 6, 8, 16}) EXPECT_EQ(ring_loads(*full_mesh(n)), std::set<int>{2}) << n;
  for (const int n : {3, 5, 7, 9}) EXPECT_EQ(ring_loads(*full_mesh(n)), std::set<int>{1}) << n;
}

TEST(Torus, RoutesAreShortestWalks) {
  for (const auto& axes : std::vector<std::vector<AxisShape>>{{{7}},
                                                              {{4}, {4}},
                                                              {{5}, {3}, {2}},
                                                              {{4}, {6, false}},
                                                              {{3, false}, {4, false}},
                                                              {{2}, {3}, {4}, {2}}}) {
    const auto machine = torus(axes);
    expect_walks(*machine);
    expect_pairs_in_closed_form(*machine);
    for (std::int32_t b = 0; b < machine->ranks(); ++b) {
      int far = 0, rest = b;
      for (const AxisShape& axis : axes) {
        const int c = rest % axis.size;
        far += axis.wraps ? std::min(c, axis.size - c) : c;
        rest /= axis.size;
      }
      EXPECT_EQ(machine->route(rank(0), rank(b)).count, far) << b;
    }
  }
  EXPECT_EQ(names(*torus({{4}, {4}}), 0, 7), "node 0 gpu 0 nvlink x-; node 0 gpu 3 nvlink y+; ");
}

// k-ary n-cube: diameter n floor(k / 2), bisection 2 k^(n-1) links each way.
TEST(Torus, DiameterAndBisectionOfKAryNCubes) {
  for (const int k : {4, 6, 8}) {
    for (const int n : {1, 2, 3}) {
      const auto machine = torus(std::vector<AxisShape>(static_cast<std::size_t>(n), {k}));
      const Structure structure = structure_of(built(machine));
      EXPECT_EQ(structure.diameter_links, n * (k / 2));
      EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, 2 * std::pow(k, n - 1) * 10);
    }
  }
  EXPECT_DOUBLE_EQ(structure_of(built(torus({{4}, {4}}))).bisection_gb_per_s,
                   least_cut(*torus({{4}, {4}})));
  const auto grid = torus({{4, false}, {3, false}});
  EXPECT_DOUBLE_EQ(structure_of(built(grid)).bisection_gb_per_s, least_cut(*grid));
}

// Where no axis is even a middle layer is parted too.
TEST(Torus, BisectionIsTheLeastOfAllCutsIntoHalves) {
  EXPECT_DOUBLE_EQ(structure_of(built(torus({{3}, {3}}))).bisection_gb_per_s, 80);
  for (const auto& axes : std::vector<std::vector<AxisShape>>{{{5}},
                                                              {{5, false}},
                                                              {{3}, {3}},
                                                              {{3, false}, {3, false}},
                                                              {{3}, {5}},
                                                              {{3, false}, {5}},
                                                              {{2}, {3}},
                                                              {{3}, {4}},
                                                              {{2}, {3}, {2}}}) {
    const auto machine = torus(axes);
    EXPECT_DOUBLE_EQ(structure_of(built(machine)).bisection_gb_per_s, least_cut(*machine))
        << machine->ranks();
  }
}

// A pod as it is sold: 16 x 20 x 28, and 16 x 24 x 24.
TEST(Torus, HoldsWholePods) {
  const auto v5p = load_machine("tpu-v5p-8960");
  EXPECT_EQ(v5p->ranks(), 8960);
  const Structure structure = structure_of(built(v5p));
  EXPECT_EQ(structure.diameter_links, 8 + 10 + 14);
  EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, 2.0 * 16 * 20 * 100);
  EXPECT_EQ(v5p->ring_orders()->size(), 24u);
  EXPECT_EQ(load_machine("tpu7x-9216")->ranks(), 9216);
}

TEST(Torus, RingsTogetherUseAllLinksAlike) {
  EXPECT_EQ(ring_loads(*torus({{8}})), std::set<int>{1});
  EXPECT_EQ(ring_loads(*torus({{4}, {4}})), std::set<int>{1});
  EXPECT_EQ(ring_loads(*torus({{16}, {16}})), std::set<int>{1});
  EXPECT_EQ(ring_loads(*torus({{4}, {8}})), std::set<int>{1});
  EXPECT_EQ(ring_loads(*torus({{4}, {4}, {4}})), std::set<int>{4});
  EXPECT_EQ(ring_loads(*torus({{8}, {16}, {16}})), std::set<int>{4});
  for (int n = 3; n <= 10; ++n) {
    for (int m = 3; m <= 10; ++m)
      EXPECT_EQ(ring_loads(*torus({{n}, {m}})), std::set<int>{1}) << n << " x " << m;
  }
  EXPECT_EQ(ring_loads(*torus({{3}, {4}, {5}})), std::set<int>{4});
  EXPECT_EQ(ring_loads(*torus({{16}, {20}, {28}})), std::set<int>{4}) << "a whole pod of TPU v5p";
  const auto grid = torus({{4, false}, {6, false}});
  EXPECT_EQ(grid->ring_orders()->front().size(), 24u) << "an order all the same";
}

TEST(Torus, ShippedPodsAgreeWithTheirVendors) {
  const auto v5e = load_machine("tpu-v5e-256");
  EXPECT_DOUBLE_EQ(structure_of(built(v5e)).bisection_gb_per_s, 1600)
      << "Google: 1.6 TB/s of bisection per pod";
  EXPECT_EQ(structure_of(built(v5e)).diameter_links, 16);
  const auto trn2 = load_machine("aws-trn2-ultraserver-64");
  ASSERT_EQ(trn2->link_classes().size(), 2u);
  EXPECT_DOUBLE_EQ(trn2->link_classes()[0].bandwidth.value, 128);
  EXPECT_DOUBLE_EQ(trn2->link_classes()[1].bandwidth.value, 64);
  EXPECT_DOUBLE_EQ(structure_of(built(trn2)).bisection_gb_per_s, 2 * 16 * 64.0);
  EXPECT_DOUBLE_EQ(structure_of(built(load_machine("mi300x-8"))).bisection_gb_per_s, 16 * 64.0);
}

TEST(Torus, IsCutToBoxesThatWrapOnlyAlongWholeAxes) {
  const auto pod = load_machine("tpu-v5e-256");
  const auto slice = with_ranks(pod, 64);  // 16 x 4
  EXPECT_EQ(slice->route(rank(0), rank(15)).count, 1) << "x wraps";
  EXPECT_EQ(slice->route(rank(0), rank(48)).count, 3) << "y does not";
  EXPECT_DOUBLE_EQ(slice->link_classes()[0].bandwidth.value, 50) << "a link stays a link";
  EXPECT_EQ(with_ranks(pod, 8)->route(rank(0), rank(7)).count, 7);
  try {
    with_ranks(pod, 24);
    FAIL() << "no box";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("give 16 or 32"), std::string::npos) << error.what();
  }
  const auto cube = load_machine("tpu-v5p-2048");
  EXPECT_NE(message_of([&] {
              with_ranks(cube, 300);
            }).find("no box of the torus of 8 x 16 x 16; give 256 or 384"),
            std::string::npos);
  EXPECT_EQ(with_ranks(cube, 256)->ranks(), 256);
  EXPECT_EQ(with_ranks(cube, 384)->ranks(), 384);
  EXPECT_DOUBLE_EQ(with_ranks(load_machine("mi300x-8"), 4)->link_classes()[0].bandwidth.value, 64);
}

// 16 x 20 x 28 in cubes of 4 x 4 x 4.
TEST(Torus, PartsOfWholeCubesWrap) {
  const auto pod = load_machine("tpu-v5p-8960");
  const auto rank = [](std::int32_t x, std::int32_t y, std::int32_t z) {
    return RankId::from(x + 16 * (y + 20 * z));
  };
  const auto cubes = with_ranks(pod, 16 * 20 * 8);
  EXPECT_EQ(cubes->route(rank(0, 0, 0), rank(0, 0, 7)).count, 1);
  EXPECT_EQ(cubes->title().find("without wraps"), std::string::npos) << cubes->title();
  const auto more = with_ranks(pod, 16 * 20 * 6);
  EXPECT_EQ(more->route(rank(0, 0, 0), rank(0, 0, 5)).count, 5);
  EXPECT_NE(more->title().find("z 6 of 28 without wraps"), std::string::npos) << more->title();
  const auto plane = with_ranks(pod, 16 * 8);  // no whole cube deep
  EXPECT_EQ(plane->route(rank(0, 0, 0), rank(0, 7, 0)).count, 7);
}

TEST(Torus, RefusesAxesThatContradictTheDomain) {
  const auto message = [](const std::string& axes, int members = 16) -> std::string {
    try {
      parse_machine(domain_yaml(members, 40, "  shape: torus\n" + axes), "t");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  const std::string four = "    - {size: [4, assumed, t]}\n";
  EXPECT_EQ(message("  axes:\n" + four + four), "(accepted)");
  EXPECT_NE(message("").find("axes"), std::string::npos);
  EXPECT_NE(message("  axes:\n" + four).find("the axes hold 4 members, the domain has 16"),
            std::string::npos);
  EXPECT_NE(message("  axes:\n" + four +
                    "    - {size: [4, assumed, t], bandwidth: [30 GB/s, "
                    "assumed, t]}\n")
                .find("make them equal"),
            std::string::npos);
  EXPECT_NE(message("  axes:\n    - {size: [10, assumed, t], cube: [4, assumed, t]}\n", 10)
                .find("10 members are no whole cubes of 4"),
            std::string::npos);
  EXPECT_NE(message("  axes:\n    - {size: [100, assumed, t], wraps: [no, assumed, t]}\n", 100)
                .find("too long"),
            std::string::npos);
}

}  // namespace
}  // namespace fabricast
