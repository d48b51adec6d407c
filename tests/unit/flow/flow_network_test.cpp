#include "emulator/flow/flow_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "emulator/base/error.hpp"
#include "emulator/flow/flow_classes.hpp"
#include "emulator/flow/flow_traffic.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

std::shared_ptr<const Topology> tree(const TreeShape& shape) {
  return parse_machine(tree_yaml(shape), "tree");
}

std::vector<RankId> all_ranks(const Topology& topology) {
  std::vector<RankId> ranks;
  for (std::int64_t r = 0; r < topology.ranks(); ++r) ranks.push_back(RankId::from(r));
  return ranks;
}

constexpr TreeShape two_tiers{16, 4, 4, 4, 2, 16, 1, 1};  // groups of 8 domains
constexpr TreeShape oversubscribed{16, 4, 4, 4, 2, 12, 2, 1};
constexpr TreeShape three_tiers{16, 4, 4, 4, 3, 8, 1, 1};

TEST(FlowNetwork, spray_is_the_route_of_the_topology) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::spray, 0);
  EXPECT_EQ(network.links(), static_cast<std::uint32_t>(topology->links()));
  for (std::uint32_t a = 0; a < 64; a += 5) {
    for (std::uint32_t b = 0; b < 64; ++b) {
      const Route route = topology->route(RankId(a), RankId(b));
      const FlowPath path = network.path(RankId(a), RankId(b), 0);
      ASSERT_EQ(static_cast<int>(path.size), route.count);
      for (std::size_t i = 0; i < path.size; ++i) {
        EXPECT_EQ(path.crossings[i].link, route.span()[i].value());
      }
    }
  }
}

// A torus of 16 x 16 has routes of 16 links; a path holds 10.
TEST(FlowNetwork, refuses_routes_that_no_path_holds) {
  const FlowNetwork network(load_machine("tpu-v5e-256"), Routing::spray, 0);
  EXPECT_EQ(network.path(RankId(0), RankId(1), 0).size, 1);
  EXPECT_NE(message_of<UsageError>([&] {
              network.path(RankId(0), RankId(8 + 16 * 8), 0);
            }).find("a route of 16 links is too long for flows"),
            std::string::npos);
}

// Every uplink of a trunk has its share of the trunk; paths go up and down through one spine.
TEST(FlowNetwork, uplinks_share_the_trunk_and_meet_at_one_spine) {
  for (const TreeShape& shape : {two_tiers, three_tiers}) {
    const auto topology = tree(shape);
    for (const Routing routing : {Routing::ecmp, Routing::dmodk}) {
      const FlowNetwork network(topology, routing, 7);
      const auto capacities = network.capacities();
      std::map<std::uint32_t, FlowRate> class_total;
      const auto plain = static_cast<std::uint32_t>(topology->links());
      for (std::uint32_t link = plain; link < network.links(); ++link) {
        EXPECT_EQ(capacities[link], flow_rate(Bandwidth(50'000'000'000)))
            << network.link_name(link);
        class_total[network.link_class(link).value()] += capacities[link];
      }
      for (const auto& [c, total] : class_total) {
        FlowRate trunks = 0;
        for (std::uint32_t link = 0; link < plain; ++link) {
          if (topology->link_class(LinkId(link)).value() == c) trunks += capacities[link];
        }
        EXPECT_NEAR(static_cast<double>(total), static_cast<double>(trunks),
                    1e-9 * static_cast<double>(trunks));
      }
      for (std::uint32_t a = 0; a < 64; a += 3) {
        for (std::uint32_t b = 0; b < 64; ++b) {
          const FlowPath path = network.path(RankId(a), RankId(b), 0);
          std::map<LinkClassId, std::set<std::string>> ends;  // "link 3" of each class
          for (const Crossing& at : path.span()) {
            if (at.link < plain) continue;
            const std::string name = network.link_name(at.link);
            ends[network.link_class(at.link)].insert(name.substr(name.rfind(' ')));
          }
          for (const auto& [c, names] : ends) EXPECT_EQ(names.size(), 1u);
        }
      }
    }
  }
}

TEST(FlowNetwork, ecmp_is_a_function_of_its_seed_and_uses_every_uplink) {
  const auto topology = tree(two_tiers);
  const FlowNetwork one(topology, Routing::ecmp, 1), same(topology, Routing::ecmp, 1),
      other(topology, Routing::ecmp, 2);
  std::set<std::uint32_t> used;
  int different = 0;
  for (std::uint32_t a = 0; a < 64; ++a) {
    for (std::uint32_t b = 0; b < 64; ++b) {
      for (std::int32_t channel = 0; channel < 4; ++channel) {
        const FlowPath path = one.path(RankId(a), RankId(b), channel);
        const FlowPath again = same.path(RankId(a), RankId(b), channel);
        const FlowPath moved = other.path(RankId(a), RankId(b), channel);
        bool differs = false;
        for (std::size_t i = 0; i < path.size; ++i) {
          ASSERT_EQ(path.crossings[i].link, again.crossings[i].link);
          differs = differs || path.crossings[i].link != moved.crossings[i].link;
          used.insert(path.crossings[i].link);
        }
        different += differs;
      }
    }
  }
  EXPECT_GT(different, 1000);
  for (auto link = static_cast<std::uint32_t>(topology->links()); link < one.links(); ++link) {
    EXPECT_TRUE(used.count(link) > 0) << one.link_name(link);
  }
}

// The ports of switches are those of the first nodes' NICs, whoever has slower ones.
TEST(FlowNetwork, uplinks_are_as_many_with_slow_nodes) {
  const auto plain = tree(two_tiers);
  TreeShape fewer = two_tiers;
  fewer.domains = 14;
  const auto unlike = parse_machine(
      tree_yaml(fewer) +
          "others:\n  - {count: [2, assumed, t], nic: {bandwidth: [100 Gbit/s, assumed, t]}}\n",
      "tree");
  ASSERT_EQ(unlike->kinds(), 2);
  for (const Routing routing : {Routing::ecmp, Routing::dmodk}) {
    EXPECT_EQ(FlowNetwork(unlike, routing, 1).links(), FlowNetwork(plain, routing, 1).links());
  }
}

// D-mod-k: all flows to one destination come down one uplink of its leaf; a shift of all domains at
// once loads no uplink twice.
TEST(FlowNetwork, dmodk_is_free_of_contention_for_shifts) {
  const auto topology = tree({16, 1, 1, 1, 2, 8, 1, 1});
  const FlowNetwork network(topology, Routing::dmodk, 0);
  for (std::uint32_t shift = 1; shift < 16; ++shift) {
    std::map<std::uint32_t, int> flows;
    for (std::uint32_t a = 0; a < 16; ++a) {
      const FlowPath path = network.path(RankId(a), RankId((a + shift) % 16), 0);
      for (const Crossing& at : path.span()) {
        EXPECT_EQ(++flows[at.link], 1) << network.link_name(at.link) << " shift " << shift;
      }
    }
  }
}

TEST(FlowNetwork, rail_changes_rails_inside_the_domain_only) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::rail, 0);
  const auto kinds = [&](std::uint32_t a, std::uint32_t b) {
    std::vector<LinkKind> result;
    const FlowPath path = network.path(RankId(a), RankId(b), 0);
    for (const Crossing& at : path.span()) {
      result.push_back(topology->link_classes()[network.link_class(at.link).value()].kind);
    }
    return result;
  };
  using Kinds = std::vector<LinkKind>;
  const Kinds relayed{LinkKind::nvlink, LinkKind::nvlink, LinkKind::nic, LinkKind::nic};
  EXPECT_EQ(kinds(0, 4), (Kinds{LinkKind::nic, LinkKind::nic}));
  EXPECT_EQ(kinds(0, 5), relayed);  // another rail, the same group: no trunk
  EXPECT_EQ(kinds(0, 1), (Kinds{LinkKind::nvlink, LinkKind::nvlink}));
}

TEST(FlowNetwork, a_dead_uplink_is_avoided_where_there_is_another) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::ecmp, 3);
  const RankId from(0), to(63);
  const FlowPath usual = network.path(from, to, 0);
  MaxMin solver(network.capacities());
  solver.set_capacity(usual.crossings[1].link, 0);
  const auto other = network.living_path(from, to, 0, solver);
  ASSERT_TRUE(other);
  EXPECT_NE(other->crossings[1].link, usual.crossings[1].link);
  solver.set_capacity(usual.crossings[0].link, 0);  // its only NIC
  EXPECT_FALSE(network.living_path(from, to, 0, solver));
}

TEST(FlowNetwork, names) {
  for (const Routing routing : {Routing::spray, Routing::ecmp, Routing::dmodk, Routing::rail}) {
    EXPECT_EQ(routing_from_name(to_string(routing)), routing);
  }
  EXPECT_THROW(routing_from_name("ecpm"), UsageError);
}

// Ends of all flows of a list: one by one, and through classes.
std::vector<std::int64_t> ends_of(const FlowList& list, const std::vector<FlowRate>& capacities,
                                  const std::vector<CapacityChange>& changes) {
  class Ends : public ListDriver {
   public:
    explicit Ends(const FlowList& list)
        : ListDriver(list), ends(static_cast<std::size_t>(list.size())) {}
    void ended(std::int64_t tag, std::int64_t now, FlowSimulator&) override {
      ends[static_cast<std::size_t>(tag)] = now;
    }
    std::vector<std::int64_t> ends;
  } driver(list);
  FlowSimulator simulator(capacities, changes);
  simulator.run(driver);
  return driver.ends;
}

void expect_folds(const FlowList& list, const std::vector<FlowRate>& capacities,
                  const std::vector<CapacityChange>& changes = {}) {
  auto ends = ends_of(list, capacities, changes);
  const auto quotient = fold_flows(list, capacities, changes);
  ASSERT_TRUE(quotient);
  EXPECT_LE(quotient->flows.size() * 2, ends.size());
  class Ends : public FlowDriver {
   public:
    explicit Ends(const FlowQuotient& q) : quotient(q) {}
    void ended(std::int64_t tag, std::int64_t now, FlowSimulator&) override {
      const auto flows =
          static_cast<std::size_t>(quotient.flows[static_cast<std::size_t>(tag)].flows);
      ends.insert(ends.end(), flows, now);
    }
    const FlowQuotient& quotient;
    std::vector<std::int64_t> ends;
  } driver(*quotient);
  FlowSimulator simulator(quotient->capacities, quotient->changes);
  for (const FlowStart& flow : quotient->flows) simulator.start(flow);
  simulator.run(driver);
  std::sort(ends.begin(), ends.end());
  std::sort(driver.ends.begin(), driver.ends.end());
  EXPECT_EQ(driver.ends, ends);
}

TEST(FlowClasses, folded_equals_unfolded) {
  for (const Routing routing : {Routing::spray, Routing::rail, Routing::dmodk}) {
    for (const TreeShape& shape :
         {oversubscribed, three_tiers, TreeShape{13, 4, 4, 4, 2, 12, 2, 1}}) {
      const auto topology = tree(shape);
      const FlowNetwork network(topology, routing, 0);
      expect_folds(AllPairs(network, all_ranks(*topology), 12345), network.capacities());
    }
  }
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::spray, 0);
  expect_folds(Incast(network, all_ranks(*topology), 4096), network.capacities());
}

TEST(FlowClasses, a_fault_splits_what_it_must) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::spray, 0);
  const auto capacities = network.capacities();
  const AllPairs list(network, all_ranks(*topology), 1 << 20);
  const auto nic = network.path(RankId(0), RankId(63), 0).crossings[0].link;
  expect_folds(list, capacities,
               {{1'000'000, nic, capacities[nic] / 2}, {90'000'000, nic, capacities[nic]}});
}

TEST(FlowClasses, what_is_not_symmetric_does_not_fold) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::spray, 0);
  const auto capacities = network.capacities();
  EXPECT_FALSE(fold_flows(AllPairs(network, all_ranks(*topology), 4096, 17), capacities));
}

TEST(FlowTraffic, incast_takes_the_sum_over_the_receivers_link) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::spray, 0);
  std::vector<RankId> ranks;
  for (std::uint32_t d = 0; d < 9; ++d) ranks.push_back(RankId(4 * d));
  const Incast list(network, ranks, 1'000'000);
  FlowSimulator simulator(network.capacities());
  ListDriver driver(list);
  // 8 MB through one NIC of 50 GB/s: 160 us, the rounding of rates on top.
  const std::int64_t end = simulator.run(driver);
  EXPECT_GE(end, 160'000'000);
  EXPECT_LE(end, 160'000'010);
}

TEST(FlowTraffic, placements_are_disjoint_and_what_they_say) {
  const RankSpace space({4, 16});
  for (const JobPlacement placement : {JobPlacement::packed, JobPlacement::spread,
                                       JobPlacement::random, JobPlacement::rail_aligned}) {
    EXPECT_EQ(placement_from_name(to_string(placement)), placement);
    const auto jobs = place_jobs(space, {16, 32}, placement, 5);
    std::set<RankId> all;
    for (const auto& job : jobs) all.insert(job.begin(), job.end());
    EXPECT_EQ(jobs[0].size(), 16u);
    EXPECT_EQ(jobs[1].size(), 32u);
    EXPECT_EQ(all.size(), 48u);
    std::set<std::uint32_t> domains, members;
    for (const RankId rank : jobs[0]) {
      domains.insert(rank.value() / 4);
      members.insert(rank.value() % 4);
    }
    if (placement == JobPlacement::packed) {
      EXPECT_EQ(domains.size(), 4u);
    }
    if (placement == JobPlacement::spread) {
      EXPECT_EQ(domains.size(), 16u);
    }
    if (placement == JobPlacement::rail_aligned) {
      EXPECT_EQ(members.size(), 1u);
    }
  }
  EXPECT_THROW(place_jobs(space, {64, 1}, JobPlacement::packed, 0), UsageError);
  EXPECT_THROW(place_jobs(space, {17}, JobPlacement::rail_aligned, 0), UsageError);
}

// Two jobs in domains of their own, under one leaf of each rail, do not meet; mixed they share
// trunks.
TEST(FlowTraffic, packed_jobs_do_not_disturb_each_other_and_mixed_ones_do) {
  const auto topology = tree(oversubscribed);
  const FlowNetwork network(topology, Routing::rail, 0);
  const auto ends = [&](std::vector<std::vector<RankId>> jobs) {
    PairwiseRounds driver(network, std::move(jobs), 1 << 20, 2);
    FlowSimulator simulator(network.capacities());
    driver.begin(simulator);
    simulator.run(driver);
    return driver.job_ends();
  };
  const auto packed = place_jobs(topology->space(), {16, 16}, JobPlacement::packed, 0);
  EXPECT_EQ(ends(packed)[0], ends({packed[0]})[0]);
  const auto mixed = place_jobs(topology->space(), {16, 48}, JobPlacement::random, 0);
  EXPECT_GT(ends(mixed)[0], ends({mixed[0]})[0]);
}

TEST(FlowTraffic, rounds_survive_a_dead_uplink) {
  const auto topology = tree(two_tiers);
  const FlowNetwork network(topology, Routing::ecmp, 3);
  const auto dead = network.path(RankId(0), RankId(63), 0).crossings[1].link;
  const auto run = [&](std::vector<CapacityChange> changes) {
    PairwiseRounds driver(network, {all_ranks(*topology)}, 1 << 20, 4);
    FlowSimulator simulator(network.capacities(), std::move(changes));
    driver.begin(simulator);
    simulator.run(driver);
    EXPECT_EQ(simulator.stats().flows, 64 * 63);
    return simulator.carried_bytes()[dead];
  };
  EXPECT_LT(run({{200'000'000, dead, 0}}), run({}));
}

}  // namespace
}  // namespace fabricast
