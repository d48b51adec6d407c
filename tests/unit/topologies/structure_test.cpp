// Networks against the textbook: routes, diameter, bisection, and which pairs cross which link.
#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/route_checks.hpp"
#include "tests/unit/topologies/structure_checks.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/builders/structure.hpp"

namespace fabricast {
namespace {

std::string dragonfly(int nics, int routers, int global, int radix = 64) {
  return fmt::format(
      "  kind: dragonfly\n  rails: [1, assumed, t]\n  radix: [{}, assumed, t]\n"
      "  nics_per_router: [{}, assumed, t]\n  routers_per_group: [{}, assumed, t]\n"
      "  global_links: [{}, assumed, t]\n",
      radix, nics, routers, global);
}

// 2 NICs, 4 routers, 2 global links: a = 2p = 2h, 9 groups of 8 NICs, 72 in all.
TEST(Dragonfly, RoutesDiameterAndBisection) {
  const auto machine = nested(72, 1, dragonfly(2, 4, 2));
  const auto& tree = dynamic_cast<const RailFatTree&>(*machine);
  EXPECT_EQ(tree.leaves(), 36);
  EXPECT_EQ(tree.pods(), 9);
  EXPECT_EQ(names(*machine, 0, 1), "node 0 nic 0 up; node 1 nic 0 down; ");
  EXPECT_EQ(names(*machine, 0, 7),
            "node 0 nic 0 up; group 0 router 0 local trunk up; group 0 router 3 local trunk down; "
            "node 7 nic 0 down; ");
  EXPECT_EQ(names(*machine, 0, 71),
            "node 0 nic 0 up; group 0 router 0 local trunk up; group 0 global trunk up; group 8 "
            "global trunk down; group 8 router 3 local trunk down; node 71 nic 0 down; ");
  expect_dense_links(*machine);
  const Structure structure = structure_of(built(machine));
  EXPECT_EQ(structure.diameter_links, 6);
  EXPECT_DOUBLE_EQ(structure.diameter_us, 2 + 3 * 0.5) << "three more routers";
  // Four groups to five others, each two of which have one link.
  EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, 4 * 5 * 10.0);
  const auto one_group = nested(8, 1, dragonfly(2, 4, 2));
  EXPECT_DOUBLE_EQ(structure_of(built(one_group)).bisection_gb_per_s, 4 * 10.0)
      << "two by two routers";
}

TEST(Dragonfly, RefusesWhatItsPortsCannotReach) {
  const auto message = [](int domains, const std::string& fabric) -> std::string {
    try {
      nested(domains, 1, fabric);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  EXPECT_EQ(message(72, dragonfly(2, 4, 2)), "(accepted)");
  EXPECT_NE(message(73, dragonfly(2, 4, 2)).find("10 groups are more"), std::string::npos);
  EXPECT_NE(message(72, dragonfly(2, 4, 2, 6)).find("a router needs 7 ports"), std::string::npos);
}

std::string rail_only(int radix, const std::string& more = "") {
  return fmt::format("  kind: rail_only\n  radix: [{}, assumed, t]\n{}", radix, more);
}

std::string ring_of(int members) {
  return fmt::format(", shape: torus, axes: [{{size: [{}, assumed, t]}}]", members);
}

std::string grid_of_16(int by) {
  return fmt::format(
      ", shape: torus, axes: [{{size: [16, assumed, t]}}, {{size: [{}, assumed, t]}}]", by);
}

TEST(RailOnly, ChangesRailInsideTheDomain) {
  const auto machine = nested(8, 4, rail_only(16));
  EXPECT_EQ(names(*machine, 1, 13), "node 0 nic 1 up; node 3 nic 1 down; ");
  EXPECT_EQ(names(*machine, 1, 14),
            "node 0 gpu 1 nvlink up; node 0 gpu 2 nvlink down; node 0 nic 2 up; node 3 nic 2 "
            "down; ");
  const Structure structure = structure_of(built(machine));
  EXPECT_EQ(structure.diameter_links, 4);
  EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, 16 * 10.0) << "half of the NICs";
}

TEST(RailOnly, PairsOnEveryLink) {
  expect_pairs_in_closed_form(*nested(8, 4, rail_only(16)));
  expect_pairs_in_closed_form(*nested(7, 4, rail_only(4)));  // a group half full
  const std::string two_rails = "  rails: [2, assumed, t]\n";
  expect_pairs_in_closed_form(*nested(3, 8, rail_only(16, two_rails)));
  expect_pairs_in_closed_form(*nested(3, 8, rail_only(16, two_rails), ", shape: full_mesh"));
  expect_pairs_in_closed_form(*nested(3, 8, rail_only(16, two_rails), ring_of(8)));
  expect_pairs_in_closed_form(
      *nested(3, 8, rail_only(64, "  rails: [1, assumed, t]\n"), ring_of(8)));
}

// The longest way round a ring, and up and down three tiers behind it.
TEST(RailOnly, LongestRouteInsideAndOutside) {
  const auto machine = nested(12, 80, rail_only(4), ring_of(80));
  ASSERT_EQ(built(machine).spec().fabric->tiers, 3);
  EXPECT_EQ(structure_of(built(machine)).diameter_links, 40 + 6);
  EXPECT_EQ(machine->route(rank(0), rank(11 * 80 + 40)).count, 40 + 6);
  EXPECT_NE(message_of([] {
              nested(12, 82, rail_only(4), ring_of(82));
            }).find("a route of 41 links is too long (at most 40)"),
            std::string::npos);
}

TEST(RailOnly, RefusesToriWhosePairsTakeLongToCount) {
  const auto machine = nested(2, 1024, rail_only(64), grid_of_16(64));
  EXPECT_EQ(machine->ranks(), 2048);
  EXPECT_NE(message_of([] {
              nested(2, 1040, rail_only(64), grid_of_16(65));
            }).find("a torus of 1040 members is too large to change rail inside it"),
            std::string::npos);
}

#ifdef FABRICAST_CONTRACTS_ON
TEST(Route, HoldsNoMoreThanItsLinks) {
  Route route;
  for (int i = 0; i < Route::max_links; ++i) route.add(LinkId(0));
  EXPECT_DEATH(route.add(LinkId(0)), "a route that fits");
}
#endif

TEST(RailOnly, TreesOfRailsAreTheirOwn) {
  // Radix 4: two nodes on a leaf; seven nodes make four leaves per rail, one spine layer each.
  const auto machine = nested(7, 4, rail_only(4));
  EXPECT_EQ(built(machine).spec().fabric->tiers, 2) << "4 leaves of a rail, not 16 of the machine";
  EXPECT_EQ(
      names(*machine, 1, 26),
      "node 0 gpu 1 nvlink up; node 0 gpu 2 nvlink down; node 0 nic 2 up; group 0 rail 2 leaf "
      "trunk up; group 3 rail 2 leaf trunk down; node 6 nic 2 down; ");
}

TEST(Nested, DirectLinksInsideATree) {
  const auto machine =
      nested(4, 8, "  kind: rail_fat_tree\n  radix: [64, assumed, t]\n", ", shape: full_mesh");
  EXPECT_EQ(names(*machine, 9, 14), "node 1 gpu 1 nvlink to gpu 6; ");
  EXPECT_EQ(names(*machine, 1, 14),
            "node 0 nic 1 up; group 0 rail 1 leaf trunk up; group 0 rail 6 leaf trunk down; node 1 "
            "nic 6 down; ");
  EXPECT_EQ(machine->links(), 4 * 56 + 2 * 32 + 2 * 8);
  expect_pairs_in_closed_form(*machine);
}

// A non-blocking fat tree lets all of one half through, whatever its tiers.
TEST(FatTree, FullBisectionUnlessOversubscribed) {
  for (const int domains : {4, 16, 32}) {
    const auto machine = nested(
        domains, 4, "  kind: rail_fat_tree\n  radix: [8, assumed, t]\n  rails: [1, assumed, t]\n");
    const Structure structure = structure_of(built(machine));
    EXPECT_DOUBLE_EQ(structure.bisection_gb_per_s, domains * 4 / 2 * 10.0) << domains;
    EXPECT_EQ(structure.diameter_links, domains > 8 ? 6 : 4) << domains;
  }
  const auto narrow =
      nested(64, 4,
             "  kind: rail_fat_tree\n  radix: [12, assumed, t]\n  rails: [1, assumed, "
             "t]\n  oversubscription: [2, assumed, t]\n");
  EXPECT_DOUBLE_EQ(structure_of(built(narrow)).bisection_gb_per_s, 64 * 4 / 2 * 10.0 / 2);
}

// Halves are whole domains: three of seven; and one group and half of another of three.
TEST(FatTree, BisectionIsOfRealHalves) {
  const auto seven =
      nested(7, 4, "  kind: rail_fat_tree\n  radix: [64, assumed, t]\n  rails: [1, assumed, t]\n");
  EXPECT_DOUBLE_EQ(structure_of(built(seven)).bisection_gb_per_s, 3 * 4 * 10.0);
  // Two domains on a leaf, 2 : 1 oversubscribed: 40 GB/s out of a leaf, and a domain of another.
  const auto three =
      nested(6, 4,
             "  kind: rail_fat_tree\n  radix: [12, assumed, t]\n  rails: [1, assumed, t]\n"
             "  oversubscription: [2, assumed, t]\n");
  EXPECT_DOUBLE_EQ(structure_of(built(three)).bisection_gb_per_s, 40.0 + 40.0);
}

}  // namespace
}  // namespace fabricast
