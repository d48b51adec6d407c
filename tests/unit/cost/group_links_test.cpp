// Groups through a switch: what links carry, what steps cost, and what runs without a switch.
#include "emulator/cost/group_links.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

std::vector<std::int32_t> identity(std::int32_t p) {
  std::vector<std::int32_t> ranks(static_cast<std::size_t>(p));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

// 8 members: the scattering one sends eight chunks up, its own included; the reduced part comes
// down once; the multicast goes up once and eight of them come down.
TEST(GroupLinks, AMulticastAndAReductionCrossALinkOnce) {
  const auto box = load_machine("hgx-h100");
  const Schedule schedule = in_switch_all_reduce(box->space());
  const auto& phases = schedule.stages.front().groups.front().phases;
  const auto ranks = identity(8);
  const auto chunks = [&](std::size_t phase, bool sends) {
    const auto links = group_links(*box, ranks, schedule.space, phases[phase], 3, sends);
    EXPECT_EQ(links.size(), 1u);
    // Up links are even, down links odd (built_topology.hpp).
    EXPECT_EQ(links.front().link, LinkId::from(sends ? 6 : 7));
    return links.front().chunks;
  };
  EXPECT_EQ(chunks(0, true), 8);   // scatter
  EXPECT_EQ(chunks(1, false), 1);  // reduce
  EXPECT_EQ(chunks(1, true), 1);   // multicast
  EXPECT_EQ(chunks(2, false), 8);  // gather
  EXPECT_EQ(chunks_of_step(phases[0], schedule.space), 7);
  EXPECT_EQ(chunks_of_step(phases[1], schedule.space), 1);
  EXPECT_EQ(chunks_of_step(phases[2], schedule.space), 7);
}

// Without a switch's help everyone sends to seven, and nothing of the own crosses a link.
TEST(GroupLinks, ADirectGroupCountsEveryMessage) {
  const auto box = load_machine("hgx-h100");
  const auto ranks = identity(8);
  for (const Schedule& schedule :
       {one_shot_all_reduce(box->space()), two_shot_all_reduce(box->space()),
        direct_all_gather(box->space()), direct_reduce_scatter(box->space())}) {
    for (const Phase& phase : schedule.stages.back().groups.front().phases) {
      EXPECT_EQ(chunks_of_step(phase, schedule.space), 7);
      for (const bool sends : {false, true}) {
        if (!(sends ? phase.peer_out : phase.peer_in).is_group()) continue;
        const auto links = group_links(*box, ranks, schedule.space, phase, 3, sends);
        ASSERT_EQ(links.size(), 1u);
        EXPECT_EQ(links.front().link, LinkId::from(sends ? 6 : 7));
        EXPECT_EQ(links.front().chunks, 7) << schedule.algorithm;
      }
    }
  }
}

// Bus bytes of NCCL's kernels (nccl.md 1.7): (n-1) S one way for one shot, (n-1)/n S for each of
// two.
TEST(GroupLinks, LargeMessagesInOneDomainMoveWhatTheKernelsMove) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, ExecutorKind::nccl));
  PointSpec point;
  point.bytes = std::int64_t{1} << 30;
  const auto busiest = [&](const std::string& algorithm, Collective collective) {
    point.algorithm = algorithm;
    point.collective = collective;
    const auto made = build_case(*box, values, point);
    EXPECT_EQ(made.loads.size(), 1u);
    return static_cast<double>(made.loads.front().busiest_bytes) / static_cast<double>(point.bytes);
  };
  EXPECT_NEAR(busiest("one_shot", Collective::all_reduce), 7, 0.001);
  EXPECT_NEAR(busiest("two_shot", Collective::all_reduce), 2 * 7.0 / 8, 0.001);
  EXPECT_NEAR(busiest("direct", Collective::all_gather), 7.0 / 8, 0.001);
  EXPECT_NEAR(busiest("direct", Collective::reduce_scatter), 7.0 / 8, 0.001);
}

TEST(GroupLinks, SharesGoByBytes) {
  const auto box = load_machine("hgx-h100");
  PlanLimits limits;
  limits.channels = 3;
  const auto plan = make_plan(Collective::all_reduce, "nvls", box->space(), 1 << 20, 4, limits);
  const auto counts = count_links(*box, group_channels(plan), 0);
  for (std::size_t i = 0; i < counts.flows.size(); ++i) {
    EXPECT_EQ(counts.chunks[i], 3 * (8 + 1));
    EXPECT_EQ(counts.flows[i], 3 * (8 + 1) * one_flow);
  }
}

// Large messages: every link carries S (1 + 1/n) at its usable rate times the switch's efficiency,
// bus bandwidth 2 (n-1)/n S/T. Published for eight H100: about 480 GB/s.
TEST(GroupLinks, NvlsOnABoxIsAsFastAsPublished) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, ExecutorKind::nccl));
  PointSpec point;
  point.algorithm = "nvls";
  point.bytes = std::int64_t{1} << 34;
  const auto made = build_case(*box, values, point);
  EXPECT_EQ(made.plan.channels.size(), 16u);
  ASSERT_EQ(made.loads.size(), 1u);
  const double wire = static_cast<double>(made.loads.front().busiest_bytes);
  EXPECT_NEAR(wire / static_cast<double>(point.bytes), 9.0 / 8.0, 0.001);
  EXPECT_EQ(made.loads.front().links, 16);
}

}  // namespace
}  // namespace fabricast
