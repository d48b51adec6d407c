#include "emulator/flow/max_min.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "emulator/base/counter_rng.hpp"
#include "tests/unit/flow/random_network.hpp"

namespace fabricast {
namespace {

std::vector<FlowRate> rates_of(const TestNetwork& network) {
  MaxMin solver(network.capacities);
  std::vector<MaxMin::Member> members;
  for (const auto& flow : network.flows) members.push_back(solver.add(flow));
  solver.solve();
  std::vector<FlowRate> rates;
  for (const auto member : members) rates.push_back(solver.rate(member));
  return rates;
}

using Rates = std::vector<FlowRate>;

TEST(MaxMin, one_bottleneck_is_shared_equally_and_rounded_down) {
  EXPECT_EQ(rates_of({{100}, {{{0, 1}}, {{0, 1}}, {{0, 1}}}}), (Rates{33, 33, 33}));
}

TEST(MaxMin, parking_lot) {
  // One flow over three links, one local flow on each; the middle link is the narrowest.
  EXPECT_EQ(rates_of({{100, 60, 200}, {{{0, 1}, {1, 1}, {2, 1}}, {{0, 1}}, {{1, 1}}, {{2, 1}}}}),
            (Rates{30, 70, 30, 170}));
}

TEST(MaxMin, triangle) {
  // Three links, three flows that cross two each: half of each link for all.
  EXPECT_EQ(rates_of({{50, 50, 50}, {{{0, 1}, {1, 1}}, {{1, 1}, {2, 1}}, {{2, 1}, {0, 1}}}}),
            (Rates{25, 25, 25}));
}

TEST(MaxMin, incast_leaves_the_senders_links_to_others) {
  // Four senders (links 0-3) into one receiver (link 4), and one more flow of sender 0 elsewhere.
  EXPECT_EQ(
      rates_of(
          {{100, 100, 100, 100, 100},
           {{{0, 1}, {4, 1}}, {{1, 1}, {4, 1}}, {{2, 1}, {4, 1}}, {{3, 1}, {4, 1}}, {{0, 1}}}}),
      (Rates{25, 25, 25, 25, 75}));
}

TEST(MaxMin, what_one_link_freezes_another_link_gives_away) {
  // Link 1 freezes three flows at a third; the fifth flow gets the rest of link 0.
  EXPECT_EQ(rates_of({{300, 300, 300}, {{{0, 1}, {1, 1}}, {{1, 1}}, {{1, 1}}, {{2, 1}}, {{0, 1}}}}),
            (Rates{100, 100, 100, 300, 200}));
}

TEST(MaxMin, a_count_is_as_many_flows) {
  EXPECT_EQ(rates_of({{100, 90}, {{{0, 7}, {1, 1}}, {{0, 3}, {1, 2}}}}), (Rates{10, 10}));
  EXPECT_EQ(rates_of({{100}, {{{0, 3}}, {{0, 1}}}}), (Rates{25, 25}));
}

TEST(MaxMin, a_dead_link_stops_its_flows_only) {
  EXPECT_EQ(rates_of({{0, 100}, {{{0, 1}, {1, 1}}, {{1, 1}}}}), (Rates{0, 100}));
}

TEST(MaxMin, links_that_tie_in_rounding_freeze_together) {
  // Both links give floor(11 / 3) = 3; what the rounding leaves is left to nobody.
  EXPECT_EQ(rates_of({{11, 11}, {{{0, 1}, {1, 1}}, {{0, 1}, {1, 1}}, {{0, 1}}, {{1, 1}}}}),
            (Rates{3, 3, 3, 3}));
}

TEST(MaxMin, random_networks_equal_the_definition) {
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const TestNetwork network = random_network(seed, 30, 80, seed % 2 == 1);
    ASSERT_EQ(rates_of(network), filled_slowly(network)) << "seed " << seed;
  }
}

TEST(MaxMin, random_networks_are_close_to_real_numbers) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const TestNetwork network = random_network(seed, 20, 60, false);
    const Rates rates = rates_of(network);
    const auto expected = filled_in_reals(network);
    for (std::size_t f = 0; f < rates.size(); ++f) {
      ASSERT_NEAR(static_cast<double>(rates[f]), static_cast<double>(expected[f]),
                  1e-9 * static_cast<double>(expected[f]) + 1e-3)
          << "seed " << seed << " flow " << f;
    }
  }
}

// Arrivals, departures and changes of capacity in random order: after each the incremental result
// is that of a fill from scratch, no link is above its capacity, and `changed` is what changed.
void wander(std::uint64_t seed, std::int64_t links, std::int64_t flows, bool counts) {
  const TestNetwork network = random_network(seed, links, flows, counts);
  std::uint64_t index = 0;
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return random_int(seed, 5, index++, low, high);
  };
  MaxMin solver(network.capacities);
  MaxMin other(network.capacities);  // the same, always from scratch
  std::vector<std::pair<MaxMin::Member, MaxMin::Member>> active;
  std::vector<FlowRate> seen(network.flows.size() * 2 + 8, -1);
  for (int step = 0; step < 120; ++step) {
    for (std::int64_t changes = draw(1, 2); changes > 0; --changes) {
      const std::int64_t kind = draw(0, 9);
      if (kind == 0) {
        const auto link = static_cast<std::uint32_t>(
            draw(0, static_cast<std::int64_t>(network.capacities.size()) - 1));
        const FlowRate capacity = network.capacities[link] / 4 * draw(0, 4);
        solver.set_capacity(link, capacity);
        other.set_capacity(link, capacity);
      } else if (kind < 6 || active.empty()) {
        const auto& flow = network.flows[static_cast<std::size_t>(
            draw(0, static_cast<std::int64_t>(network.flows.size()) - 1))];
        active.emplace_back(solver.add(flow), other.add(flow));
        if (active.back().first >= seen.size()) seen.resize(active.back().first + 1, -1);
        seen[active.back().first] = -1;
      } else {
        const auto at =
            static_cast<std::size_t>(draw(0, static_cast<std::int64_t>(active.size()) - 1));
        solver.remove(active[at].first);
        other.remove(active[at].second);
        active[at] = active.back();
        active.pop_back();
      }
    }
    solver.solve();
    other.refill();
    for (const auto member : solver.changed()) seen[member] = solver.rate(member);
    for (const auto& [a, b] : active) {
      ASSERT_EQ(solver.rate(a), other.rate(b)) << "seed " << seed << " step " << step;
      ASSERT_EQ(solver.rate(a), seen[a]) << "seed " << seed << " step " << step;
    }
    for (std::uint32_t link = 0; link < solver.links(); ++link) {
      ASSERT_LE(solver.load(link), solver.capacity(link));
      ASSERT_EQ(solver.load(link), other.load(link));
    }
  }
}

TEST(MaxMin, incremental_equals_from_scratch) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    wander(seed, seed % 3 == 0 ? 4 : 40, 60, seed % 2 == 1);
    if (HasFatalFailure()) return;
  }
}

TEST(MaxMin, a_change_is_not_felt_where_nothing_depends_on_it) {
  // Pairs of flows on links of their own: one departure visits one link, not a thousand.
  constexpr std::uint32_t pairs = 1000;
  MaxMin solver(std::vector<FlowRate>(pairs, 1000));
  std::vector<MaxMin::Member> members;
  for (std::uint32_t link = 0; link < pairs; ++link) {
    for (int i = 0; i < 2; ++i) members.push_back(solver.add(std::vector<Crossing>{{link, 1}}));
  }
  solver.solve();
  const auto before = solver.stats();
  solver.remove(members[17]);
  solver.solve();
  EXPECT_LE(solver.stats().link_visits - before.link_visits, 2);
  EXPECT_EQ(solver.changed().size(), 1u);
  EXPECT_EQ(solver.rate(members[16]), 1000);
}

TEST(MaxMin, freed_places_are_used_again) {
  MaxMin solver({1000, 1000});
  for (int i = 0; i < 10000; ++i) {
    const auto member = solver.add(std::vector<Crossing>{{0, 1}, {1, 1}});
    solver.solve();
    ASSERT_EQ(solver.rate(member), 1000);
    solver.remove(member);
    solver.solve();
  }
  EXPECT_EQ(solver.members(), 0);
  EXPECT_LT(solver.state_bytes(), 4096);
}

TEST(FlowUnits, rounding) {
  EXPECT_EQ(flow_rate(Bandwidth(ps_per_s)), FlowRate{1} << flow_rate_bits);
  EXPECT_EQ(flow_rate(Bandwidth(1)), 1125);  // 2^50 / 10^12 = 1125.9
  EXPECT_EQ(time_to_move(0, 0), 0);
  EXPECT_EQ(time_to_move(1, 0), never_ps);
  EXPECT_EQ(time_to_move(10, 3), 4);
  EXPECT_EQ(time_to_move(9, 3), 3);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const FlowAmount amount =
        flow_amount(random_int(3, 1, i, 1, std::int64_t{1} << 31)) * (std::int64_t{1} << (i % 12));
    const FlowRate rate = random_int(3, 2, i, 1, std::int64_t{1} << 31) << (i % 30);
    const std::int64_t time = time_to_move(amount, rate);
    if (time == never_ps) continue;
    ASSERT_GE(static_cast<FlowAmount>(time) * rate, amount);
    ASSERT_LT(static_cast<FlowAmount>(time - 1) * rate, amount);
  }
}

}  // namespace
}  // namespace fabricast
