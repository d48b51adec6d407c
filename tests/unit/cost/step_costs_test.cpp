// TableStepCosts against the definition: every step's costs from its own route, computed afresh.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct Rows {
  explicit Rows(std::size_t n) : lane(n, -1), port(n, -1), latency(n, -1), credit(n, -1) {}
  CostRows spans() { return {lane, port, latency, credit}; }
  std::vector<std::int64_t> lane, port, latency, credit;
};

struct Row {
  std::int64_t lane = 0, port = 0, latency = 0, credit = 0;
};

class Definition {
 public:
  Definition(const Topology& topology, const ParameterValues& values, const PointSpec& point,
             const ExecutionPlan& plan)
      : topology_(topology),
        plan_(plan),
        costs_(topology, values, point.executor, point.protocol, plan) {}

  Row row(std::int32_t channel, std::size_t stage, const Phase& phase, std::int32_t k,
          std::int32_t x, const LinkCounts& counts) const {
    const auto& lane = plan_.channels[static_cast<std::size_t>(channel)];
    const Schedule& schedule = *lane.schedule;
    if (!is_active(phase.active, schedule.space, x)) return {};
    const std::int32_t out = peer_of(phase.peer_out, schedule.space, x, k);
    const std::int32_t in = peer_of(phase.peer_in, schedule.space, x, k);
    const bool lost = (phase.peer_in.exists() && in < 0) || (phase.peer_out.exists() && out < 0);
    if (lost) return {};
    const auto edge = [&](std::int32_t peer, bool sends) {
      return classify(topology_,
                      topology_.route(RankId::from(lane.placement.rank_at(x)),
                                      RankId::from(lane.placement.rank_at(peer))),
                      sends ? counts.flows : std::vector<std::int64_t>());
    };
    const std::int64_t bytes = plan_.slice_bytes * phase.chunk.count;
    const bool reduces = (phase.action & action_reduce) != 0;
    Row row;
    EdgeClass paying;
    paying.kind = EdgeKind::local;
    if (in >= 0) {
      paying = edge(in, false);
      row.credit = costs_.latency_ps(paying);
    }
    if (out >= 0) {
      paying = edge(out, true);
      // Shares by bytes: all the lane's ports together take as long as the busiest of its links.
      for (std::size_t c = 0; !stage_varies(schedule.stages[stage]) && c < paying.flows.size();
           ++c) {
        if (paying.flows[c] == 0) continue;
        std::int64_t sum = 0, most = 0;
        for (const PhaseGroup& group : schedule.stages[stage].groups) {
          for (const Phase& other : group.phases) {
            if (other.role != phase.role || !is_active(other.active, schedule.space, x)) continue;
            const std::int32_t peer = peer_of(other.peer_out, schedule.space, x, k);
            const std::int64_t flows = peer >= 0 ? load(edge(peer, true), c) : 0;
            sum += other.chunk.count * flows;
            most = std::max(most, flows);
          }
        }
        paying.flows[c] = std::max(one_flow, (paying.flows[c] * most + sum - 1) / sum);
      }
      row.port = costs_.port_ps(paying, bytes, {false, false, false, true});
      row.latency = costs_.latency_ps(paying) - costs_.streamed_ps(paying, bytes);
    }
    row.lane = costs_.lane_ps(paying, bytes, {.reduces = reduces});
    return row;
  }

 private:
  // Flows as those of the first class of the kind, where that is a rank's own link.
  std::int64_t load(const EdgeClass& sent, std::size_t c) const {
    const auto& classes = topology_.link_classes();
    if (classes[c].kind != LinkKind::nic) return sent.flows[c];
    double most = 0, first = 0;
    for (std::size_t other = 0; other < classes.size(); ++other) {
      if (classes[other].kind != LinkKind::nic) continue;
      if (first == 0) first = classes[other].bandwidth.value;
      most = std::max(
          most, static_cast<double>(sent.flows[other]) * first / classes[other].bandwidth.value);
    }
    return std::llround(most);
  }

  const Topology& topology_;
  const ExecutionPlan& plan_;
  MachineCosts costs_;
};

void compare(const std::shared_ptr<const Topology>& topology, Collective collective,
             const std::string& algorithm, Protocol protocol, std::int32_t channels) {
  const std::int32_t ranks = topology->ranks();
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.protocol = protocol;
  point.bytes = 3 << 20;
  point.channels = channels;
  const auto made = build_case(*topology, values, point);
  const auto groups = group_channels(made.plan);
  const Definition definition(*topology, values, point, made.plan);
  std::size_t covered = 0;
  for (const ChannelClass& channel_class : made.channel_classes) {
    for (const std::int32_t channel : channel_class.channels) {
      ++covered;
      const Schedule& schedule = *made.plan.channels[static_cast<std::size_t>(channel)].schedule;
      for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
        const LinkCounts counts = count_links(*topology, groups, s);
        for (std::size_t g = 0; g < schedule.stages[s].groups.size(); ++g) {
          const auto& phases = schedule.stages[s].groups[g].phases;
          for (std::size_t p = 0; p < phases.size(); ++p) {
            const std::int32_t repeat = std::min(schedule.stages[s].repeat, 40);
            for (std::int32_t k = 0; k < repeat; ++k) {
              Rows rows(static_cast<std::size_t>(ranks));
              channel_class.costs->fill(static_cast<int>(s), static_cast<int>(g),
                                        static_cast<int>(p), k, rows.spans());
              for (std::int32_t x = 0; x < ranks; ++x) {
                const auto i = static_cast<std::size_t>(x);
                const Row wanted = definition.row(channel, s, phases[p], k, x, counts);
                ASSERT_EQ(rows.lane[i], wanted.lane) << s << " " << p << " " << k << " " << x;
                ASSERT_EQ(rows.latency[i], wanted.latency) << s << " " << p << " " << k << " " << x;
                ASSERT_EQ(rows.credit[i], wanted.credit) << s << " " << p << " " << k << " " << x;
                if (phase_varies(phases[p])) {
                  ASSERT_GE(rows.port[i], wanted.port);  // charged with the worst repetition
                } else {
                  ASSERT_EQ(rows.port[i], wanted.port) << s << " " << p << " " << k << " " << x;
                }
              }
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(covered, made.plan.channels.size());
}

void compare(const std::string& machine, std::int32_t ranks, Collective collective,
             const std::string& algorithm, Protocol protocol, std::int32_t channels) {
  compare(with_ranks(load_machine(machine), ranks), collective, algorithm, protocol, channels);
}

TEST(StepCosts, RingInABox) {
  compare("hgx-h100", 8, Collective::all_reduce, "ring", Protocol::ll, 5);
}
TEST(StepCosts, RingOverLeavesAndPods) {
  compare("hgx-h100x1260", 8 * 140, Collective::all_gather, "ring", Protocol::simple, 8);
}
TEST(StepCosts, TreeOverLeaves) {
  compare("hgx-h100x1260", 8 * 37, Collective::all_reduce, "tree", Protocol::ll128, 6);
}
TEST(StepCosts, HierarchicalOverRacks) {
  compare("gb300-nvl72x140", 72 * 6, Collective::all_reduce, "hierarchical", Protocol::simple, 2);
}
TEST(StepCosts, PairwiseOverLeaves) {
  compare("hgx-h100x1260", 8 * 34, Collective::all_to_all, "pairwise", Protocol::simple, 1);
}
// Four rails, so that members of a rack share one or not: shifts of four are rare.
TEST(StepCosts, PairwiseOverRacks) {
  compare("gb300-nvl72x140", 72 * 7, Collective::all_to_all, "pairwise", Protocol::simple, 1);
}
TEST(StepCosts, GroupedRoundsOverBoxes) {
  compare("hgx-h100x1260", 8 * 9, Collective::all_to_all, "grouped", Protocol::simple, 1);
}
TEST(StepCosts, RootsOverRacks) {
  compare("gb300-nvl72x140", 72 * 5, Collective::gather, "direct", Protocol::simple, 2);
  compare("gb300-nvl72x140", 72 * 5, Collective::scatter, "direct", Protocol::ll, 1);
}
TEST(StepCosts, HypercubeThatFoldsIn) {
  compare("hgx-h100x1260", 8 * 11, Collective::all_reduce, "halving_doubling", Protocol::ll, 3);
}
TEST(StepCosts, PatOverRacks) {
  compare("gb300-nvl72x140", 72 * 3, Collective::reduce_scatter, "pat", Protocol::simple, 2);
}
TEST(StepCosts, ChainOfRacks) {
  compare("gb300-nvl72x140", 72 * 2, Collective::broadcast, "ring", Protocol::ll, 3);
}

// Five nodes of 400G and four of 200G, on leaves of two nodes.
TEST(StepCosts, NodesOfTwoKinds) {
  const auto machine = parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [5, assumed, t]\nothers:\n"
      "  - {node: hgx-h200, count: [4, assumed, t], nic: {bandwidth: [200 Gbit/s, assumed, t]}}\n"
      "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: roce\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t]}\n"
      "  rails: [8, assumed, t]\n  radix: [64, assumed, t]\n  tiers: [2, assumed, t]\n"
      "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
      "m.yaml");
  ASSERT_EQ(machine->kinds(), 2);
  for (const char* const algorithm : {"ring", "tree", "hierarchical"}) {
    compare(machine, Collective::all_reduce, algorithm, Protocol::simple, 4);
  }
  for (const char* const algorithm : {"pairwise", "grouped"}) {
    compare(machine, Collective::all_to_all, algorithm, Protocol::ll, 2);
  }
}

std::string box_of(int gpus) {
  return "{kind: single_node, gpus: [" + std::to_string(gpus) +
         ", assumed, t], channels: [8, assumed, t], gpu: {name: A, generation: ampere}, "
         "interconnect: {kind: nvlink, bandwidth: [300 GB/s, assumed, t], latency: [150 ns, "
         "assumed, t]}}";
}

// Boxes of eight and of four, which hang on leaves by twos, or by halves.
TEST(StepCosts, NodesOfTwoSizes) {
  for (const char* const radix : {"64", "8"}) {
    const auto machine = parse_machine(
        fmt::format("name: m\ntitle: m\nkind: nested\nnode: {}\ncount: [4, assumed, t]\nothers:\n"
                    "  - {{node: {}, count: [3, assumed, t]}}\n"
                    "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: roce\n"
                    "  nic: {{bandwidth: [200 Gbit/s, assumed, t], latency: [3 us, assumed, t]}}\n"
                    "  rails: [4, assumed, t]\n  radix: [{}, assumed, t]\n"
                    "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [1, assumed, t]\n",
                    box_of(8), box_of(4), radix),
        "m.yaml");
    ASSERT_EQ(machine->space(), RankSpace({4, 11}));
    for (const char* const algorithm : {"ring", "hierarchical", "halving_doubling"}) {
      compare(machine, Collective::all_reduce, algorithm, Protocol::simple, 4);
    }
    for (const char* const algorithm : {"pairwise", "grouped"}) {
      compare(machine, Collective::all_to_all, algorithm, Protocol::ll, 2);
    }
  }
}

// A fit changes parameters thousands of times: what costs the same is evaluated once.
TEST(StepCosts, KeysAreEqualExactlyWhenCostsAre) {
  const auto topology = load_machine("hgx-h100");
  auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  CaseBuilder builder(*topology);
  PointSpec point;
  point.algorithm = "ring";
  point.bytes = 1 << 20;
  const auto base = builder.build(values, point);
  values["launch.simple"] *= 2;
  const auto launched = builder.build(values, point);
  EXPECT_EQ(evaluation_key(base, 0), evaluation_key(launched, 0));
  EXPECT_NE(base.launch, launched.launch);
  auto slower = values;
  slower["cta.copy_bw"] /= 2;
  EXPECT_NE(evaluation_key(base, 0), evaluation_key(builder.build(slower, point), 0));
  point.bytes = 2 << 20;
  EXPECT_NE(evaluation_key(base, 0), evaluation_key(builder.build(values, point), 0));
}

TEST(StepCosts, MachinesOfEqualGroupsRepeat) {
  const auto racks = load_machine("gb300-nvl72x140");
  std::vector<std::int32_t> ranks(static_cast<std::size_t>(racks->ranks()));
  std::iota(ranks.begin(), ranks.end(), 0);
  EXPECT_EQ(PositionKeys(*racks, ranks).period(), 4u * 72);  // four racks per leaf group
  const auto boxes = load_machine("hgx-h100x1260");          // its last group is partly filled
  EXPECT_EQ(PositionKeys(*boxes, ranks).period(), 10080u);
  const auto box = load_machine("hgx-h100");
  EXPECT_EQ(PositionKeys(*box, std::span(ranks).first(8)).period(), 1u);
}

// What engines do not fill again because it is said to repeat does repeat, and much does.
void expect_repeats(const char* machine, std::size_t columns, std::int32_t least_percent) {
  SCOPED_TRACE(machine);
  const auto topology = load_machine(machine);
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  PointSpec point;
  point.collective = Collective::all_to_all;
  point.algorithm = "grouped";
  point.bytes = 64 << 20;
  const auto made = build_case(*topology, values, point);
  const StepCosts& costs = *made.channel_classes.front().costs;
  const Schedule& schedule = *made.plan.channels.front().schedule;
  const auto stage = static_cast<int>(schedule.stages.size()) - 1;
  std::int32_t repeated = 0, looked_at = 0;
  for (const int phase : {0, 1}) {
    for (std::int32_t k = 5; k < schedule.stages.back().repeat; k += 17) {
      const std::int32_t before = k - 5;
      ++looked_at;
      if (!costs.repeats(stage, 0, phase, before, k)) continue;
      ++repeated;
      Rows earlier(columns), later(columns);
      costs.fill(stage, 0, phase, before, earlier.spans());
      costs.fill(stage, 0, phase, k, later.spans());
      ASSERT_EQ(earlier.lane, later.lane) << before << ' ' << k;
      ASSERT_EQ(earlier.port, later.port) << before << ' ' << k;
      ASSERT_EQ(earlier.latency, later.latency) << before << ' ' << k;
      ASSERT_EQ(earlier.credit, later.credit) << before << ' ' << k;
    }
  }
  EXPECT_GT(100 * repeated, least_percent * looked_at);
  EXPECT_LT(repeated, looked_at);
}

TEST(StepCosts, CostsThatAreSaidToRepeatDo) {
  expect_repeats("gb300-nvl72x140", 288, 50);     // one period
  expect_repeats("gb300-gb200x140", 10080, 30);   // two kinds of racks: where groups of 8 stay
  expect_repeats("rail-only-h100x256", 256, 30);  // on one rail, or not
}

// Said of whole repetitions, and true of every pair of them; most repetitions are far.
TEST(StepCosts, FarRepetitionsHaveOneKey) {
  for (const char* name : {"gb300-nvl72x140", "rail-only-h100x256"}) {
    const auto machine = load_machine(name);
    std::vector<std::int32_t> ranks(static_cast<std::size_t>(machine->ranks()));
    std::iota(ranks.begin(), ranks.end(), 0);
    const PositionKeys keys(*machine, ranks);
    const Schedule schedules[] = {pairwise_all_to_all(machine->space()),
                                  grouped_all_to_all(machine->space())};
    for (const Schedule& schedule : schedules) {
      const Stage& stage = schedule.stages.back();
      std::int32_t far = 0;
      for (std::int32_t k = 0; k < stage.repeat; k += 7) {
        const PeerMap& map = stage.groups.front().phases.front().peer_out;
        if (!keys.all_far(map, schedule.space, k)) continue;
        ++far;
        const std::size_t far_key = keys.far_key(map, schedule.space, k);
        keys.for_pairs(map, schedule.space, k, keys.period(),
                       [&](std::size_t first, std::size_t, std::size_t key) {
                         ASSERT_EQ(key, far_key) << name << ' ' << k << ' ' << first;
                       });
      }
      EXPECT_GT(far, stage.repeat / 7 / 2) << name << ' ' << schedule.algorithm;
    }
  }
}

// Lanes that share data store first and send what they stored: the device's memory gives it twice.
TEST(StepCosts, WhatIsStoredAndSentIsReadBackWhereLanesShareData) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, ExecutorKind::cuda));
  const auto ps_of_storing = [&](Protocol protocol, const std::string& algorithm) {
    PointSpec point;
    point.executor = ExecutorKind::cuda;
    point.algorithm = algorithm;
    point.protocol = protocol;
    point.bytes = 1 << 24;
    const auto made = build_case(*box, values, point);
    const MachineCosts costs(*box, values, point.executor, protocol, made.plan);
    EdgeClass edge;
    edge.kind = EdgeKind::device;
    edge.device_flows = 1;
    constexpr std::int64_t bytes = 1 << 20;
    const StepWork passes{.receives = true, .sends = true};
    const StepWork stores{.receives = true, .stores = true, .sends = true};
    const StepWork reduces{.receives = true, .reduces = true, .sends = true};
    const auto base = static_cast<double>(costs.port_ps(edge, bytes, passes));
    const auto stream = static_cast<double>(costs.port_ps(edge, bytes, reduces)) - base;
    return (static_cast<double>(costs.port_ps(edge, bytes, stores)) - base) / stream;
  };
  EXPECT_NEAR(ps_of_storing(Protocol::simple, "tree"), 1, 1e-3);
  EXPECT_NEAR(ps_of_storing(Protocol::ll, "ring"), 1, 1e-3);
  EXPECT_NEAR(ps_of_storing(Protocol::ll, "tree"), 2, 1e-3);
}

}  // namespace
}  // namespace fabricast
