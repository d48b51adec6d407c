#include "emulator/flow/flow_sim.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "tests/unit/flow/random_network.hpp"

namespace fabricast {
namespace {

constexpr FlowRate byte_per_ps = FlowRate{1} << flow_rate_bits;

// Streams a list of flows and keeps what happened; checks every instant.
class Recorder : public FlowDriver {
 public:
  explicit Recorder(std::vector<FlowStart> flows) : flows_(std::move(flows)) {
    std::stable_sort(flows_.begin(), flows_.end(),
                     [](const auto& a, const auto& b) { return a.start_ps < b.start_ps; });
  }
  bool next(FlowStart& flow) override {
    if (next_ == flows_.size()) return false;
    flow = flows_[next_++];
    return true;
  }
  void ended(std::int64_t tag, std::int64_t now, FlowSimulator&) override {
    ASSERT_EQ(ends.count(tag), 0u);
    ends[tag] = now;
  }
  std::optional<FlowPath> detour(std::int64_t tag, std::uint32_t, const FlowSimulator&) override {
    const auto found = detours.find(tag);
    if (found == detours.end()) return std::nullopt;
    return found->second;
  }
  void solved(std::int64_t now, const FlowSimulator& simulator) override {
    ASSERT_GT(now, last_instant);  // causality: time only moves on
    last_instant = now;
    const MaxMin& solver = simulator.solver();
    for (std::uint32_t link = 0; link < solver.links(); ++link) {
      ASSERT_LE(solver.load(link), solver.capacity(link));
    }
  }

  std::map<std::int64_t, std::int64_t> ends;  // by tag
  std::map<std::int64_t, FlowPath> detours;
  std::int64_t last_instant = -1;

 private:
  std::vector<FlowStart> flows_;
  std::size_t next_ = 0;
};

FlowPath path(std::initializer_list<std::uint32_t> links) {
  FlowPath result;
  for (const auto link : links) result.add(link);
  return result;
}

FlowStart flow(std::int64_t tag, std::int64_t start, std::int64_t bytes, FlowPath over) {
  return {tag, start, bytes, 1, over};
}

TEST(FlowSim, one_flow_takes_bytes_over_capacity_rounded_up) {
  Recorder driver({flow(1, 100, 1000, path({0}))});
  FlowSimulator simulator({byte_per_ps / 3});
  // The rate is rounded down to floor(2^50 / 3) and the end up: just above 3000 ps.
  EXPECT_EQ(simulator.run(driver), 3101);
  EXPECT_EQ(simulator.carried_bytes(), std::vector<std::int64_t>{1000});
  EXPECT_EQ(simulator.stats().events, 2);
}

TEST(FlowSim, a_flow_that_joins_shares_and_leaves_the_rest) {
  Recorder driver({flow(1, 0, 1000, path({0})), flow(2, 500, 1000, path({0}))});
  FlowSimulator simulator({byte_per_ps});
  // 500 alone, then halves: the first needs 1000 more, the second 500 at half and 500 alone.
  EXPECT_EQ(simulator.run(driver), 2000);
  EXPECT_EQ(driver.ends[1], 1500);
  EXPECT_EQ(driver.ends[2], 2000);
}

TEST(FlowSim, incast_ends_together) {
  std::vector<FlowStart> flows;
  for (std::uint32_t i = 0; i < 10; ++i) flows.push_back(flow(i, 0, 700, path({i, 10})));
  Recorder driver(flows);
  FlowSimulator simulator(std::vector<FlowRate>(11, byte_per_ps));
  EXPECT_EQ(simulator.run(driver), 7001);  // floor(2^50 / 10) is not 2^50 / 10
  for (const auto& [tag, end] : driver.ends) EXPECT_EQ(end, 7001) << tag;
}

TEST(FlowSim, flows_without_bytes_or_links_end_at_once) {
  Recorder driver({flow(1, 7, 0, path({0})), flow(2, 9, 5, path({}))});
  FlowSimulator simulator({byte_per_ps});
  EXPECT_EQ(simulator.run(driver), 9);
  EXPECT_EQ(driver.ends[1], 7);
}

TEST(FlowSim, a_link_that_drops_and_recovers) {
  Recorder driver({flow(1, 0, 1000, path({0}))});
  // 400 at full rate, 200 ps at a quarter: 50, 300 ps dead, 550 at full rate.
  FlowSimulator simulator({byte_per_ps},
                          {{400, 0, byte_per_ps / 4}, {600, 0, 0}, {900, 0, byte_per_ps}});
  EXPECT_EQ(simulator.run(driver), 1450);
}

TEST(FlowSim, a_link_that_never_recovers_is_an_error) {
  Recorder driver({flow(1, 0, 1000, path({0}))});
  FlowSimulator simulator({byte_per_ps}, {{400, 0, 0}});
  EXPECT_THROW(simulator.run(driver), UsageError);
}

TEST(FlowSim, a_detour_takes_what_is_left) {
  Recorder driver({flow(1, 0, 1000, path({0})), flow(2, 0, 1000, path({1}))});
  driver.detours[1] = path({1});
  FlowSimulator simulator({byte_per_ps, byte_per_ps}, {{400, 0, 0}});
  // From 400 on both share link 1 with 600 bytes each.
  EXPECT_EQ(simulator.run(driver), 1600);
  EXPECT_EQ(driver.ends[2], 1600);
  EXPECT_EQ(simulator.carried_bytes(), (std::vector<std::int64_t>{400, 1600}));
}

// A chain of flows: each starts the next when it ends.
TEST(FlowSim, flows_started_by_ends) {
  class Chain : public FlowDriver {
   public:
    void ended(std::int64_t tag, std::int64_t now, FlowSimulator& simulator) override {
      if (tag < 5) simulator.start(flow(tag + 1, now + 10, 100, path({0})));
    }
  } chain;
  FlowSimulator simulator({byte_per_ps});
  simulator.start(flow(1, 0, 100, path({0})));
  EXPECT_EQ(simulator.run(chain), 540);
}

struct Scenario {
  TestNetwork network;
  std::vector<FlowStart> flows;
  std::vector<CapacityChange> changes;
};

Scenario random_scenario(std::uint64_t seed) {
  Scenario scenario{random_network(seed, 25, 80, seed % 2 == 1), {}, {}};
  auto& network = scenario.network;
  for (auto& capacity : network.capacities) capacity = std::max(capacity, FlowRate{1} << 40);
  for (std::size_t f = 0; f < network.flows.size(); ++f) {
    FlowStart start;
    start.tag = static_cast<std::int64_t>(f);
    start.start_ps = random_int(seed, 8, f, 0, 40) * 25'000'000 / (seed % 3 == 0 ? 1 : 7);
    start.bytes = random_int(seed, 9, f, 0, 4'000'000);
    for (const Crossing& at : network.flows[f]) start.path.add(at.link, at.count);
    scenario.flows.push_back(start);
  }
  for (std::uint64_t i = 0; i < 6 && seed % 4 == 0; ++i) {
    const auto link = static_cast<std::uint32_t>(
        random_int(seed, 10, i, 0, static_cast<std::int64_t>(network.capacities.size()) - 1));
    scenario.changes.push_back({random_int(seed, 11, i, 0, 90'000'000), link,
                                network.capacities[link] / 4 * random_int(seed, 12, i, 0, 3)});
    scenario.changes.push_back({200'000'000, link, network.capacities[link]});
  }
  return scenario;
}

TEST(FlowSim, any_order_of_insertion_gives_the_same_ends_and_bytes_are_conserved) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const Scenario scenario = random_scenario(seed);
    Recorder streamed(scenario.flows);
    FlowSimulator first(scenario.network.capacities, scenario.changes);
    const std::int64_t end = first.run(streamed);
    ASSERT_EQ(streamed.ends.size(), scenario.flows.size());

    // The same flows ahead of their time, in another order, through the other door.
    auto shuffled = scenario.flows;
    for (std::size_t i = shuffled.size(); i > 1; --i) {
      std::swap(shuffled[i - 1], shuffled[static_cast<std::size_t>(random_int(
                                     seed, 13, i, 0, static_cast<std::int64_t>(i) - 1))]);
    }
    Recorder started({});
    FlowSimulator second(scenario.network.capacities, scenario.changes);
    for (const auto& start : shuffled) second.start(start);
    ASSERT_EQ(second.run(started), end);
    ASSERT_EQ(started.ends, streamed.ends) << "seed " << seed;
    ASSERT_EQ(first.carried_bytes(), second.carried_bytes());

    std::vector<std::int64_t> expected(scenario.network.capacities.size(), 0);
    for (const auto& start : scenario.flows) {
      for (const Crossing& at : start.path.span()) expected[at.link] += start.bytes * at.count;
      ASSERT_GE(streamed.ends[start.tag], start.start_ps);
    }
    ASSERT_EQ(first.carried_bytes(), expected);
    for (std::size_t link = 0; link < expected.size() && scenario.changes.empty(); ++link) {
      ASSERT_GE(end, time_to_move(flow_amount(expected[link]), scenario.network.capacities[link]));
    }
  }
}

// On one link more capacity never delays anyone (with several links it may: max-min is not
// monotone).
TEST(FlowSim, one_bottleneck_is_monotone_in_capacity) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<FlowStart> flows;
    for (std::int64_t f = 0; f < 40; ++f) {
      const auto key = static_cast<std::uint64_t>(f);
      flows.push_back(
          flow(f, random_int(seed, 1, key, 0, 3000), random_int(seed, 2, key, 1, 900), path({0})));
    }
    std::map<std::int64_t, std::int64_t> slower;
    for (const FlowRate capacity :
         {byte_per_ps / 2, byte_per_ps, byte_per_ps * 5 / 4, byte_per_ps * 9}) {
      Recorder driver(flows);
      FlowSimulator(std::vector<FlowRate>{capacity}).run(driver);
      // Rounding ends up may cost a picosecond per instant of the run.
      for (const auto& [tag, end] : slower) ASSERT_LE(driver.ends[tag], end + 80);
      slower = driver.ends;
    }
  }
}

TEST(FlowSim, a_member_with_a_count_is_as_many_flows) {
  std::vector<FlowStart> many;
  for (int i = 0; i < 6; ++i) many.push_back(flow(i, 10, 5000, path({0, 1})));
  many.push_back(flow(6, 300, 700, path({1})));
  Recorder one_by_one(many);
  FlowSimulator first({byte_per_ps, byte_per_ps * 2});
  first.run(one_by_one);

  FlowPath six;
  six.add(0, 6);
  six.add(1, 6);
  Recorder together({{0, 10, 5000, 6, six}, flow(6, 300, 700, path({1}))});
  FlowSimulator second({byte_per_ps, byte_per_ps * 2});
  second.run(together);
  EXPECT_EQ(together.ends[0], one_by_one.ends[0]);
  EXPECT_EQ(together.ends[6], one_by_one.ends[6]);
  EXPECT_EQ(first.carried_bytes(), second.carried_bytes());
  EXPECT_EQ(first.stats().events, second.stats().events);
}

}  // namespace
}  // namespace fabricast
