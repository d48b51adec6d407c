#include "emulator/flow/schedule_flows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Random lane, latency and credit of each position; a port is busy for as long as the message would
// need alone on its path.
class AloneCosts final : public StepCosts {
 public:
  AloneCosts(const Schedule& schedule, const FlowNetwork& network, std::int64_t bytes,
             std::uint64_t seed, std::int64_t lane_limit)
      : schedule_(schedule),
        flat_(flatten(schedule)),
        network_(network),
        bytes_(bytes),
        seed_(seed),
        lane_limit_(lane_limit),
        capacities_(network.capacities()) {}

  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override {
    for (const FlatPhase& flat : flat_) {
      if (flat.stage != stage || flat.group != group || flat.index != phase) continue;
      for (std::int32_t x = 0; x < static_cast<std::int32_t>(rows.lane.size()); ++x) {
        const auto at = static_cast<std::size_t>(x);
        const auto draw = [&](std::uint64_t what, std::int64_t limit) {
          return random_int(seed_, at * 64 + what, static_cast<std::uint64_t>(stage * 8 + phase), 0,
                            limit);
        };
        const bool runs = executes(flat, schedule_.space, x, k);
        rows.lane[at] = runs ? draw(1, lane_limit_) : 0;
        rows.port[at] = rows.latency[at] = rows.credit[at] = 0;
        if (runs && flat.receives) rows.credit[at] = draw(2, 1'000'000);
        if (!runs || !flat.sends) continue;
        rows.latency[at] = draw(3, 1'000'000);
        const PeerMap& map = flat.phase->peer_out;
        const auto to = static_cast<std::uint32_t>(
            map.is_group() ? group_members(map, schedule_.space, x).front()
                           : peer_of(map, schedule_.space, x, k));
        FlowRate narrowest = unlimited_rate;
        const FlowPath path = network_.path(RankId(static_cast<std::uint32_t>(x)), RankId(to), 0);
        for (const Crossing& link : path.span()) {
          narrowest = std::min(narrowest, capacities_[link.link]);
        }
        rows.port[at] = time_to_move(flow_amount(bytes_), narrowest);
      }
    }
  }

 private:
  const Schedule& schedule_;
  std::vector<FlatPhase> flat_;
  const FlowNetwork& network_;
  std::int64_t bytes_;
  std::uint64_t seed_;
  std::int64_t lane_limit_;
  std::vector<FlowRate> capacities_;
};

class Watched : public ScheduleFlows {
 public:
  using ScheduleFlows::ScheduleFlows;
  void solved(std::int64_t, const FlowSimulator& simulator) override {
    for (std::uint32_t link = 0; link < simulator.solver().links(); ++link) {
      most = std::max(most, simulator.solver().members_of(link).size());
    }
  }
  std::size_t most = 0;  // flows on one link at once
};

std::vector<RankId> first_ranks(std::int32_t count) {
  std::vector<RankId> ranks;
  for (std::int32_t r = 0; r < count; ++r) ranks.push_back(RankId::from(r));
  return ranks;
}

FlowProgram program_of(const Schedule& schedule, const StepCosts& costs, std::int64_t bytes) {
  FlowProgram program;
  program.schedule = &schedule;
  program.costs = &costs;
  program.ranks = first_ranks(schedule.positions());
  program.bytes = [bytes](int, int, int) { return bytes; };
  return program;
}

// Boxes of one GPU under one leaf: every message crosses its sender's and its receiver's NIC.
std::shared_ptr<const Topology> one_switch(int domains) {
  return parse_machine(tree_yaml({domains, 1, 1, 1, 2, 64, 1, 1}), "tree");
}

// Which cases have no link with two flows is seen while they run: those must agree to the
// picosecond, and each algorithm must have some.
TEST(ScheduleFlows, equal_the_sweep_while_no_link_is_shared) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  const std::map<std::string, Schedule> schedules{
      {"ring_all_reduce", ring_all_reduce({8})},
      {"ring_all_gather", ring_all_gather({8})},
      {"chain_broadcast", chain_broadcast({8}, 6)},
      {"chain_reduce", chain_reduce({8}, 6)},
      {"tree_all_reduce", tree_all_reduce({8}, 1, false)},
      {"halving_doubling", halving_doubling_all_reduce({8})},
      {"pairwise", pairwise_all_to_all({8})},
      {"scatter", direct_scatter({8})},
      {"send_recv", direct_send_recv({8})},
  };
  for (const auto& [name, schedule] : schedules) {
    int compared = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const std::int64_t bytes = random_int(seed, 1, 0, 1, 3000);
      const std::int64_t lane = seed % 2 == 0 ? 100'000 : 100'000'000;
      const AloneCosts costs(schedule, network, bytes, seed, lane);
      FlowProgram program = program_of(schedule, costs, bytes);
      program.loops = static_cast<std::int32_t>(1 + seed % 3);
      Watched flows(network, {program});
      FlowSimulator simulator(network.capacities());
      flows.run(simulator);
      if (flows.most > 1) continue;
      ++compared;
      SweepOptions options;
      options.loops = program.loops;
      ASSERT_EQ(flows.ends()[0], sweep(schedule, costs, options).makespan.value())
          << name << " seed " << seed;
    }
    EXPECT_GT(compared, 2) << name;
  }
}

// Members of a group have costs of their own here, so that anybody may be the last; few slots make
// senders wait. A member does not wait for its own message.
TEST(ScheduleFlows, groups_of_members_that_are_alike_equal_pairwise_connections) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  const std::map<std::string, Schedule> schedules{
      {"all_reduce of 8", in_switch_all_reduce({8})},
      {"all_reduce of 2", in_switch_all_reduce({2})},
      {"all_gather of 8", in_switch_all_gather({8})},
      {"reduce_scatter of 3", in_switch_reduce_scatter({3})},
  };
  for (const auto& [name, given] : schedules) {
    int compared = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      Schedule schedule = given;
      schedule.fifo_depth = static_cast<std::int32_t>(1 + seed % 4);
      const std::int64_t bytes = random_int(seed, 1, 0, 0, 300);
      const std::int64_t lane = seed % 2 == 0 ? 100'000 : 100'000'000;
      const AloneCosts costs(schedule, network, bytes, seed, lane);
      FlowProgram program = program_of(schedule, costs, bytes);
      program.alike = true;
      program.loops = static_cast<std::int32_t>(1 + seed % 7);
      Watched flows(network, {program});
      FlowSimulator simulator(network.capacities());
      flows.run(simulator);
      if (flows.most > 1) continue;
      ++compared;
      ASSERT_EQ(flows.ends()[0], naive_makespan(schedule, costs, program.loops, 1).value())
          << name << " seed " << seed;
    }
    EXPECT_GT(compared, 10) << name;
  }
}

TEST(ScheduleFlows, sharing_never_beats_being_alone) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  for (const Schedule& schedule :
       {tree_all_reduce({8}, 6, false), pairwise_all_to_all({8}), direct_gather({8})}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const AloneCosts costs(schedule, network, 100'000, seed, 100'000);
      Watched flows(network, {program_of(schedule, costs, 100'000)});
      FlowSimulator simulator(network.capacities());
      flows.run(simulator);
      EXPECT_GE(flows.ends()[0], naive_makespan(schedule, costs, 1, 1).value());
    }
  }
}

// A gather is an incast: with costs of zero its time is that of all bytes through the root's NIC.
TEST(ScheduleFlows, a_gather_takes_the_roots_link) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  const Schedule schedule = direct_gather({8});
  class Free final : public StepCosts {
    void fill(int, int, int, std::int32_t, CostRows rows) const override {
      for (auto row : {rows.lane, rows.port, rows.latency, rows.credit})
        std::fill(row.begin(), row.end(), 0);
    }
  } costs;
  ScheduleFlows flows(network, {program_of(schedule, costs, 1'000'000)});
  FlowSimulator simulator(network.capacities());
  flows.run(simulator);
  EXPECT_GE(flows.ends()[0], 140'000'000);  // 7 MB at 50 GB/s
  EXPECT_LE(flows.ends()[0], 140'000'010);
}

// Two groups on the same NICs take twice as long as one, and what one leaves the other uses.
TEST(ScheduleFlows, two_groups_on_one_nic_share_it) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  const Schedule schedule = ring_all_gather({8});
  const AloneCosts costs(schedule, network, 10'000'000, 1, 10);
  const auto ends = [&](std::vector<FlowProgram> programs) {
    ScheduleFlows flows(network, std::move(programs));
    FlowSimulator simulator(network.capacities());
    flows.run(simulator);
    return flows.ends();
  };
  const FlowProgram one = program_of(schedule, costs, 10'000'000);
  const auto alone = ends({one});
  const auto both = ends({one, one});
  EXPECT_EQ(both[0], both[1]);
  EXPECT_NEAR(static_cast<double>(both[0]) / static_cast<double>(alone[0]), 2.0, 0.02);
  FlowProgram late = one;
  late.start_ps = alone[0];
  EXPECT_EQ(ends({one, late}), (std::vector<std::int64_t>{alone[0], 2 * alone[0]}));
}

// Two exchanges one after the other: receiving waits for the own block's copy, and the second
// exchange sends only what was received in the first (semantics 2.7).
TEST(ScheduleFlows, declared_dependences_are_those_of_the_sweep) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  Schedule free = pairwise_all_to_all({8});
  free.stages.push_back(free.stages.back());
  Schedule bound = free;
  std::vector<std::int32_t> copied, received;
  for (int x = 0; x < 8; ++x) {
    copied.insert(copied.end(), {x % 3 == 0 ? -1 : 0, 0});
    received.insert(received.end(), {1, 1});
  }
  bound.stages[1].groups[0].phases[1].after = MapTable(copied);
  bound.stages[2].groups[0].phases[0].after = MapTable(received);
  int compared = 0, later = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto end = [&](const Schedule& schedule, bool by_flows) {
      const AloneCosts costs(schedule, network, 1000, seed, 10'000'000);
      FlowProgram program = program_of(schedule, costs, 1000);
      program.loops = 2;
      SweepOptions options;
      options.loops = 2;
      if (!by_flows) return sweep(schedule, costs, options).makespan.value();
      Watched flows(network, {program});
      FlowSimulator simulator(network.capacities());
      flows.run(simulator);
      return flows.most > 1 ? std::int64_t{-1} : flows.ends()[0];
    };
    const std::int64_t flows = end(bound, true);
    if (flows < 0) continue;
    ++compared;
    ASSERT_EQ(flows, end(bound, false)) << seed;
    later += flows > end(free, false) ? 1 : 0;
  }
  EXPECT_GT(compared, 2);
  EXPECT_GT(later, 2);
}

TEST(ScheduleFlows, refuses_what_it_cannot_say_and_names_deadlocks) {
  const auto topology = one_switch(8);
  const FlowNetwork network(topology, Routing::spray, 0);
  const Schedule groups = in_switch_all_reduce({8});
  const Schedule ring = ring_all_reduce({8});
  const AloneCosts costs(ring, network, 100, 1, 10);
  EXPECT_THROW(ScheduleFlows(network, {program_of(groups, costs, 100)}), UsageError);
  Schedule shallow = ring;
  shallow.fifo_depth = 1;
  FlowProgram program = program_of(shallow, costs, 100);
  program.slices = 2;
  ScheduleFlows flows(network, {program});
  FlowSimulator simulator(network.capacities());
  EXPECT_THROW(flows.run(simulator), UsageError);
}

}  // namespace
}  // namespace fabricast
