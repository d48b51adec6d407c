#include "emulator/flow/flow_case.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/sim/predict.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct Times {
  double sweep = 0, flow = 0, bound = 0;
};

Times times(const std::shared_ptr<const Topology>& topology, const PointSpec& point,
            const FlowChoice& choice = {}) {
  const auto values = values_of(prior_profile(*topology, point.executor));
  const CollectiveCase made = build_case(*topology, values, point);
  return {static_cast<double>(evaluate_case(made, {}).time.value()),
          static_cast<double>(evaluate_flows(topology, values, point, made, choice).time.value()),
          static_cast<double>(made.bandwidth_bound.value())};
}

PointSpec point_of(Collective collective, const std::string& algorithm, std::int64_t bytes,
                   std::int32_t channels) {
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.bytes = bytes;
  point.channels = channels;
  return point;
}

TEST(FlowCase, without_contention_it_is_the_sweep) {
  const auto topology = parse_machine(tree_yaml({8, 1, 1, 1, 2, 64, 1, 1}), "tree");
  for (const std::int64_t bytes : {1 << 10, 1 << 16, 1 << 22}) {
    const Times ring = times(topology, point_of(Collective::all_reduce, "ring", bytes, 1));
    EXPECT_NEAR(ring.flow / ring.sweep, 1.0, 1e-6) << bytes;
    EXPECT_GE(ring.flow, ring.bound);
  }
}

// Sixteen channels of a ring share every NIC all the time: dividing it is the same.
TEST(FlowCase, channels_of_a_ring_share_as_the_sweep_says) {
  const auto topology = parse_machine(tree_yaml({8, 1, 1, 1, 2, 64, 1, 1}), "tree");
  const Times ring = times(topology, point_of(Collective::all_reduce, "ring", 1 << 26, 4));
  EXPECT_NEAR(ring.flow / ring.sweep, 1.0, 0.05);
  EXPECT_GE(ring.flow, ring.bound);
}

// Over trunks with half the uplinks the exchange is bound by them in both engines; in the flow
// engine its rounds drift apart. Hashing flows onto uplinks makes it slower.
TEST(FlowCase, all_to_all_over_oversubscribed_trunks) {
  const auto topology = parse_machine(tree_yaml({16, 2, 2, 2, 2, 12, 2, 1}), "tree");
  const PointSpec point = point_of(Collective::all_to_all, "pairwise", 1 << 24, 2);
  const Times spray = times(topology, point);
  const Times ecmp = times(topology, point, {Routing::ecmp, 1});
  EXPECT_GE(spray.flow, spray.bound);
  EXPECT_NEAR(spray.flow / spray.sweep, 1.0, 0.1);
  EXPECT_GT(ecmp.flow, spray.flow);
}

// The root takes a part of every sender's block in turn, so that all of them send all the time and
// the shares of its port that they have are what they use, also when the FIFOs are full.
TEST(FlowCase, a_gather_fills_the_roots_port) {
  for (const char* name : {"hgx-h100", "hgx-h100x4"}) {
    const auto machine = load_machine(name);
    for (const std::int64_t bytes : {std::int64_t{1} << 24, std::int64_t{1} << 30}) {
      const Times gather = times(machine, point_of(Collective::gather, "direct", bytes, 16));
      EXPECT_NEAR(gather.flow / gather.sweep, 1.0, 0.05) << name << " " << bytes;
      EXPECT_GE(gather.sweep, gather.bound) << name << " " << bytes;
      if (bytes > 1 << 24) {
        EXPECT_LT(gather.sweep, 2 * gather.bound) << name;
      }
    }
  }
}

// What the flow engine says of the links is what the sweep says.
void expect_equal(const FlowTime& timed, const CollectiveCase& made, std::int32_t ranks) {
  SCOPED_TRACE(made.plan.bytes);
  EXPECT_EQ(timed.bound, made.bandwidth_bound);
  ASSERT_EQ(timed.loads.size(), 1u);
  ASSERT_EQ(made.loads.size(), 1u);
  const LinkLoad &flow = timed.loads.front(), &closed = made.loads.front();
  EXPECT_EQ(flow.link_class, closed.link_class);
  EXPECT_EQ(flow.capacity, closed.capacity);
  EXPECT_EQ(flow.links, 2 * ranks);
  EXPECT_EQ(flow.links, closed.links);
  EXPECT_EQ(flow.busiest_bytes, made.plan.bytes + (made.plan.bytes + ranks - 1) / ranks);
  EXPECT_EQ(flow.busiest_bytes, closed.busiest_bytes);
  EXPECT_EQ(flow.total_bytes, closed.total_bytes);
}

// Every link carries as much as the switch's loads and stores put on it: the message's bytes, also
// where the shares of a few CTAs are all of it.
TEST(FlowCase, the_switchs_own_all_reduce_is_a_flow_of_each_member) {
  for (const auto& [name, channels] :
       {std::pair{"hgx-h100", 1}, {"hgx-h100", 16}, {"hgx-h100", 64}, {"gb200-nvl72", 2}}) {
    const auto topology = load_machine(name);
    const auto values = values_of(prior_profile(*topology, ExecutorKind::peers));
    for (const std::int64_t bytes :
         {std::int64_t{4}, std::int64_t{1000}, std::int64_t{1} << 20, std::int64_t{9} << 28}) {
      PointSpec point = point_of(Collective::all_reduce, "nvls", bytes, channels);
      point.executor = ExecutorKind::peers;
      point.protocol = Protocol::multimem;
      const CollectiveCase made = build_case(*topology, values, point);
      const FlowTime timed = evaluate_flows(topology, values, point, made);
      const auto sweep = static_cast<double>(evaluate_case(made, {}).time.value());
      EXPECT_NEAR(static_cast<double>(timed.time.value()) / sweep, 1, 1e-6) << name << " " << bytes;
      expect_equal(timed, made, topology->ranks());
    }
  }
}

// 72 members of 64 channels are no 72 x 71 x 64 connections; what is told of the state has all of
// it, lanes and cost rows too.
TEST(FlowCase, groups_take_memory_by_member) {
  const auto topology = load_machine("gb200-nvl72");
  const auto values = values_of(prior_profile(*topology, ExecutorKind::peers));
  PointSpec point = point_of(Collective::all_reduce, "nvls", std::int64_t{1} << 30, 64);
  point.executor = ExecutorKind::peers;
  point.protocol = Protocol::multimem;
  const FlowTime timed =
      evaluate_flows(topology, values, point, build_case(*topology, values, point));
  EXPECT_EQ(timed.stats.flows, 72 * 64 * 2);
  EXPECT_GT(timed.stats.state_bytes, 4'000'000);
  EXPECT_LT(timed.stats.state_bytes, 8'000'000);
}

// The link's factor where the link is the bottleneck, as in the sweep; nothing where it is not.
TEST(FlowCase, a_slow_link_of_the_switchs_own_all_reduce) {
  const auto topology = load_machine("hgx-h100");
  auto values = values_of(prior_profile(*topology, ExecutorKind::peers));
  values.at("peer.nvlink.cta_bw.multimem") = 5;  // one thread block leaves room
  const MachineChanges changes{
      0,
      {slow_element_from(
          "link=" + topology->link_name(topology->route(RankId(3), RankId(4)).links[1]) + ":x2")}};
  const SlowElements slow(*topology, changes.slow);
  PointSpec point = point_of(Collective::all_reduce, "nvls", std::int64_t{1} << 30, 1);
  point.executor = ExecutorKind::peers;
  point.protocol = Protocol::multimem;
  for (const std::int32_t channels : {1, 64}) {
    point.channels = channels;
    CaseBuilder usual(*topology), changed(*topology, changes);
    const CollectiveCase with = changed.build(values, point);
    const auto flow =
        static_cast<double>(evaluate_flows(topology, values, point, with, {}, slow).time.value());
    EXPECT_NEAR(flow / static_cast<double>(evaluate_case(with, {}).time.value()), 1, 1e-6);
    const auto without =
        static_cast<double>(evaluate_case(usual.build(values, point), {}).time.value());
    EXPECT_NEAR(flow / without, channels == 1 ? 1 : 2, 0.01);
  }
}

TEST(FlowCase, refuses_groups) {
  const auto topology = parse_machine(tree_yaml({8, 1, 1, 1, 2, 64, 1, 1}), "tree");
  PointSpec point = point_of(Collective::all_reduce, "ring", 1 << 20, 1);
  point.executor = ExecutorKind::cuda;
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  const CollectiveCase made =
      build_case(*topology, values, point_of(Collective::all_reduce, "ring", 1 << 20, 1));
  EXPECT_THROW(evaluate_flows(topology, values, point, made), UsageError);
  EXPECT_FALSE(needs_flows(made));
  EXPECT_TRUE(needs_flows(
      build_case(*topology, values, point_of(Collective::all_to_all, "pairwise", 1 << 20, 1))));
}

}  // namespace
}  // namespace fabricast
