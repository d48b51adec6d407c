#include "emulator/cost/stage_flows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/traffic_map.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

PlanLimits channels(std::int32_t count) {
  PlanLimits limits;
  limits.channels = count;
  return limits;
}

LinkCounts count(const Topology& topology, Collective collective, const std::string& algorithm,
                 std::int32_t channel_count, std::size_t stage) {
  PlanLimits limits = channels(channel_count);
  limits.ring_orders = topology.ring_orders();
  const auto plan = make_plan(collective, algorithm, topology.space(), 1 << 30, 4, limits);
  return count_links(topology, group_channels(plan), stage);
}

std::set<double> flows_of_kind(const Topology& topology, const LinkCounts& counts, LinkKind kind) {
  std::set<double> seen;
  for (std::size_t i = 0; i < counts.flows.size(); ++i) {
    const auto c = topology.link_class(LinkId::from(static_cast<std::int64_t>(i)));
    if (topology.link_classes()[c.value()].kind == kind) {
      seen.insert(static_cast<double>(counts.flows[i]) / one_flow);
    }
  }
  return seen;
}

TEST(StageFlows, EveryChannelOfARingCrossesEveryNvlinkOnce) {
  const auto box = load_machine("hgx-h100");
  const auto counts = count(*box, Collective::all_reduce, "ring", 24, 1);
  EXPECT_EQ(flows_of_kind(*box, counts, LinkKind::nvlink), (std::set<double>{24}));
}

// 16 channels leave two boxes through 8 NICs, and stay on their rail: no trunk is crossed.
TEST(StageFlows, RingChannelsSpreadOverTheRails) {
  const auto two = with_ranks(load_machine("hgx-h100x1260"), 16);
  const auto counts = count(*two, Collective::all_reduce, "ring", 16, 1);
  EXPECT_EQ(flows_of_kind(*two, counts, LinkKind::nic), (std::set<double>{2}));
  // Inside a box 7 of 8 hops of each channel stay on NVLink.
  std::int64_t nvlink = 0;
  for (std::size_t i = 0; i < 32; ++i) nvlink += counts.flows[i];
  EXPECT_EQ(nvlink, 16 * 2 * 7 * 2 * one_flow);  // channels x boxes x hops x (up and down)
  const auto leaf = flows_of_kind(*two, counts, LinkKind::leaf_uplink);
  EXPECT_EQ(leaf, (std::set<double>{0}));
}

// The root of a tree sends to both children from one lane, and has a chain in its own node.
TEST(StageFlows, EveryMessageOfALaneCounts) {
  const auto box = load_machine("hgx-h100");
  const auto counts = count(*box, Collective::all_reduce, "tree", 1, 0);
  std::int64_t sent = 0;
  for (std::size_t rank = 0; rank < 8; ++rank) {
    sent += counts.flows[2 * rank] / one_flow;
    EXPECT_EQ(counts.flows[2 * rank], counts.chunks[2 * rank] * one_flow) << rank;
  }
  EXPECT_EQ(sent, 2 * 7) << "every edge of the tree, up and down";
}

// Chunk times that every lane spends on its messages over links of a class, and the most chunks on
// any of those links. Of the first stage.
struct LaneTimes {
  double ports = 0, busiest_link = 0;
};
std::vector<LaneTimes> lane_times(const Topology& topology, const ExecutionPlan& plan,
                                  std::size_t link_class) {
  const TrafficMap map(topology, plan, false);
  const LinkCounts counts = count_links(topology, group_channels(plan), 0);
  std::vector<LaneTimes> all;
  for (const ChannelTraffic& channel : map.channels()) {
    const auto& of = plan.channels[static_cast<std::size_t>(channel.channels.front())];
    std::map<std::pair<int, std::size_t>, LaneTimes> lanes;  // by role and position
    for (std::size_t g = 0; g < of.schedule->stages[0].groups.size(); ++g) {
      const auto& phases = of.schedule->stages[0].groups[g].phases;
      for (std::size_t p = 0; p < phases.size(); ++p) {
        const PhaseEdges& edges = channel.phases[0][g][p];
        const PhasePeers peers = peers_of(*of.schedule, phases[p], 0);
        for (std::size_t x = 0; x < edges.send->size(); ++x) {
          if (!phases[p].peer_out.exists() || peers.out[x] < 0) continue;
          LaneTimes& lane = lanes[{phases[p].role, x}];
          lane.ports += static_cast<double>(map.edges()[(*edges.send)[x]].flows[link_class]) /
                        one_flow * edges.port_chunks;
          const auto rank = [&](std::size_t y) {
            return RankId::from(of.placement.rank_at(static_cast<std::int32_t>(y)));
          };
          const Route route = topology.route(rank(x), rank(static_cast<std::size_t>(peers.out[x])));
          for (const LinkId link : route.span()) {
            if (topology.link_class(link).value() != link_class) continue;
            lane.busiest_link =
                std::max(lane.busiest_link, static_cast<double>(counts.chunks[link.value()]));
          }
        }
      }
    }
    for (const auto& [name, times] : lanes) all.push_back(times);
  }
  return all;
}

// A port is busy for the bytes of its busiest link, and no longer: an inner node of one tree is a
// leaf of the other, so that 16 boxes send four messages through a NIC for two chunks. A share per
// lane would give six, because a lane with two children has its share twice.
TEST(StageFlows, LanesThatSendSeveralMessagesDivideTheirShare) {
  for (const char* algorithm : {"tree", "hierarchical"}) {
    for (const std::int32_t boxes : {2, 3, 4, 7, 16}) {
      const auto machine = with_ranks(load_machine("hgx-h100x1260"), 8 * boxes);
      const auto plan =
          make_plan(Collective::all_reduce, algorithm, machine->space(), 1 << 30, 4, channels(16));
      for (std::size_t c = 0; c < machine->link_classes().size(); ++c) {
        if (machine->link_classes()[c].kind != LinkKind::nic) continue;
        double ports = 0, links = 0;
        for (const LaneTimes& lane : lane_times(*machine, plan, c)) {
          ports = std::max(ports, lane.ports);
          links = std::max(links, lane.busiest_link);
        }
        EXPECT_NEAR(ports, links, 0.01) << algorithm << " on " << boxes;
      }
    }
  }
}

// Also where the links of one lane are not equally busy: links between members, tori, meshes.
TEST(StageFlows, NoLaneIsFasterThanTheBusiestOfItsLinks) {
  for (const char* name :
       {"mi300x-8x64", "tpu-v5e-256", "dgx-1-v100", "hgx-h100x1260", "aws-trn2-16"}) {
    const auto whole = load_machine(name);
    const auto machine = with_ranks(whole, std::min(whole->ranks(), 64));
    for (const char* algorithm : {"tree", "hierarchical", "halving_doubling", "ring"}) {
      if (machine->space().domains() == 1 && std::string(algorithm) == "hierarchical") continue;
      const auto plan =
          make_plan(Collective::all_reduce, algorithm, machine->space(), 1 << 30, 4, channels(4));
      for (std::size_t c = 0; c < machine->link_classes().size(); ++c) {
        for (const LaneTimes& lane : lane_times(*machine, plan, c)) {
          ASSERT_GE(lane.ports, lane.busiest_link - 1e-9) << name << " " << algorithm;
        }
      }
    }
  }
}

TEST(StageFlows, MessagesAreCountedWithTheirChunks) {
  const auto four = with_ranks(load_machine("hgx-h100x1260"), 32);
  const auto plan =
      make_plan(Collective::all_reduce, "hierarchical", four->space(), 1 << 30, 4, channels(1));
  const auto counts = count_links(*four, group_channels(plan), 0);
  // The first stage sends blocks of one chunk per domain.
  EXPECT_EQ(counts.flows[0], 4 * one_flow);
  EXPECT_EQ(counts.chunks[0], 4);
}

TEST(StageFlows, PairwiseExchangeLoadsEveryEndpointByTheChannels) {
  const auto four = with_ranks(load_machine("hgx-h100x1260"), 32);
  const auto plan =
      make_plan(Collective::all_to_all, "pairwise", four->space(), 1 << 30, 4, channels(3));
  const auto counts = count_links(*four, group_channels(plan), 1);
  EXPECT_EQ(flows_of_kind(*four, counts, LinkKind::nvlink), (std::set<double>{3}));
  EXPECT_EQ(flows_of_kind(*four, counts, LinkKind::nic), (std::set<double>{3}));
}

// The wire bytes of every link, pair by pair: what the key arithmetic must come to.
std::vector<std::int64_t> brute_force(const Topology& topology, std::int64_t per_pair) {
  std::vector<std::int64_t> chunks(static_cast<std::size_t>(topology.links()), 0);
  for (std::int32_t a = 0; a < topology.ranks(); ++a) {
    for (std::int32_t b = 0; b < topology.ranks(); ++b) {
      const Route route = topology.route(RankId::from(a), RankId::from(b));
      for (const LinkId link : route.span()) chunks[link.value()] += per_pair;
    }
  }
  return chunks;
}

// 40 boxes fill one leaf group and a quarter of the next: their trunks carry unequal loads.
TEST(StageFlows, TheBusiestLinkOfAnExchangeIsTheBusiestNotTheMean) {
  const auto boxes = load_machine("hgx-h100x1260");
  const auto racks = load_machine("gb300-nvl72x140");
  for (const auto& machine :
       {with_ranks(boxes, 16), with_ranks(boxes, 8 * 40), with_ranks(racks, 72 * 3),
        with_ranks(racks, 72 * 11), load_machine("gb300-nvl72"),
        // Links between members, a rail changed inside the node, and groups of routers.
        load_machine("mi300x-8x64"), load_machine("tpu-v5e-256"),
        with_ranks(load_machine("tpu-v5p-2048"), 512),
        with_ranks(load_machine("rail-only-h100x256"), 512), load_machine("mi250x-8x140")}) {
    const auto plan =
        make_plan(Collective::all_to_all, "pairwise", machine->space(), 1 << 30, 4, channels(3));
    const auto traffic = TrafficMap(*machine, plan, false).traffic(plan);
    const auto expected = brute_force(*machine, 3);
    for (std::size_t c = 0; c < traffic.size(); ++c) {
      std::int64_t most = 0, total = 0, links = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (machine->link_class(LinkId::from(static_cast<std::int64_t>(i))).value() != c) continue;
        most = std::max(most, expected[i]);
        total += expected[i];
        links += expected[i] > 0 ? 1 : 0;
      }
      const auto& name = machine->link_classes()[c].name;
      EXPECT_EQ(traffic[c].busiest_chunks, most) << machine->title() << " " << name;
      EXPECT_EQ(traffic[c].total_chunks, total) << machine->title() << " " << name;
      EXPECT_EQ(traffic[c].links, links) << machine->title() << " " << name;
    }
  }
}

// Rounds of an exchange are spread over the channels, so that all links of a member are used at
// once: seven channels on seven links are one flow each, not seven on one of them.
TEST(StageFlows, AnExchangeUsesAllDirectLinksAtOnce) {
  const auto mesh = load_machine("mi300x-8");
  EXPECT_EQ(flows_of_kind(*mesh, count(*mesh, Collective::all_to_all, "pairwise", 7, 1),
                          LinkKind::nvlink),
            (std::set<double>{1}));
  // A 16 x 16 torus: 8 of 16 steps on average half of the way, over 2 links of 2 axes.
  const auto torus = load_machine("tpu-v5e-256");
  EXPECT_EQ(flows_of_kind(*torus, count(*torus, Collective::all_to_all, "pairwise", 1, 1),
                          LinkKind::nvlink),
            (std::set<double>{2057.0 / 1024}))
      << "256 x 8 / (4 x 255) = 2.008 on each";
  EXPECT_EQ(flows_of_kind(*mesh, count(*mesh, Collective::all_to_all, "pairwise", 16, 1),
                          LinkKind::nvlink),
            (std::set<double>{2341.0 / 1024}))
      << "16 / 7 = 2.286";
  EXPECT_EQ(flows_of_kind(*mesh, count(*mesh, Collective::all_to_all, "pairwise", 1, 1),
                          LinkKind::nvlink),
            (std::set<double>{1}))
      << "a message has no more than its link";
  // Rings in their given orders load every link alike.
  EXPECT_EQ(
      flows_of_kind(*mesh, count(*mesh, Collective::all_reduce, "ring", 14, 1), LinkKind::nvlink),
      (std::set<double>{2}));
  EXPECT_EQ(
      flows_of_kind(*torus, count(*torus, Collective::all_reduce, "ring", 4, 1), LinkKind::nvlink),
      (std::set<double>{1}));
}

// The links of a member are as busy with sixteen channels as with fourteen.
TEST(StageFlows, AnExchangeIsNoSlowerWhereLinksDoNotDivideChannels) {
  const auto mesh = load_machine("mi300x-8");
  const auto values = values_of(prior_profile(*mesh, ExecutorKind::nccl));
  const auto time = [&](std::int32_t channel_count) {
    PointSpec point;
    point.collective = Collective::all_to_all;
    point.algorithm = "pairwise";
    point.bytes = 1 << 30;
    point.channels = channel_count;
    return to_us(predict_time(*mesh, values, point));
  };
  const double fourteen = time(14);
  EXPECT_LE(time(15), fourteen * 1.001);
  EXPECT_LE(time(16), fourteen * 1.001);
}

// Above 256 repetitions flows are the most of a sample of them. On the machines that ship, at a
// size where all can be counted, the sample misses nothing.
TEST(StageFlows, SampledRepetitionsFindTheMostFlows) {
  for (const auto& machine : {with_ranks(load_machine("hgx-h100x1260"), 8 * 40),
                              with_ranks(load_machine("gb300-nvl72x140"), 72 * 7)}) {
    const auto plan =
        make_plan(Collective::all_to_all, "pairwise", machine->space(), 1 << 30, 4, channels(1));
    const auto counts = count_links(*machine, group_channels(plan), 1);
    std::vector<std::int64_t> most(counts.flows.size(), 0);
    for (std::int32_t shift = 1; shift < machine->ranks(); ++shift) {
      std::vector<std::int64_t> flows(most.size(), 0);
      for (std::int32_t a = 0; a < machine->ranks(); ++a) {
        const Route route =
            machine->route(RankId::from(a), RankId::from((a + shift) % machine->ranks()));
        for (const LinkId link : route.span()) flows[link.value()] += one_flow;
      }
      for (std::size_t i = 0; i < most.size(); ++i) most[i] = std::max(most[i], flows[i]);
    }
    EXPECT_EQ(counts.flows, most) << machine->title();
  }
}

TEST(StageFlows, SampledRepetitionsAreAllOfASmallStageAndSomeOfALargeOne) {
  EXPECT_EQ(sampled_repetitions(71, 72).size(), 71u);
  const auto some = sampled_repetitions(10079, 72);
  EXPECT_LT(some.size(), 32u);
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_EQ(some.front(), 0);
  EXPECT_EQ(some.back(), 10078);
}

}  // namespace
}  // namespace fabricast
