// Slow elements: only the rows they concern change, and by as much as the parameters would say.
#include "emulator/cost/slow_elements.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

TEST(SlowElements, TextsAreChecked) {
  EXPECT_EQ(slow_element_from("rank=17:x1.3").text(), "rank=17:x1.3");
  EXPECT_EQ(slow_element_from("nic=3:2").text(), "nic=3:x2");
  EXPECT_EQ(slow_element_from("rack=0:\u00d71.5").text(), "rack=0:x1.5");
  EXPECT_EQ(slow_element_from("link=a:b c:x4").name, "a:b c");
  for (const char* bad :
       {"", "rank=17", "rank:2", "gpu=1:x2", "rank=1:x0.5", "rank=1:xfast", "rank=1:x"}) {
    EXPECT_THROW(slow_element_from(bad), UsageError) << bad;
  }
  const auto machine = load_machine("gb300-nvl72");
  for (const char* absent :
       {"rank=72:x2", "rank=-1:x2", "rack=1:x2", "nic=99:x2", "nic=one:x2", "link=none:x2"}) {
    EXPECT_THROW(SlowElements(*machine, {slow_element_from(absent)}), UsageError) << absent;
  }
}

struct Costs {
  std::vector<CostBlock> blocks;  // by phase, in a repetition that leaves the domain
  std::vector<std::int32_t> ranks;
};

// Of every channel, in its own class's rows.
std::vector<Costs> costs_of(const CollectiveCase& made) {
  std::vector<Costs> result(made.plan.channels.size());
  for (const ChannelClass& of : made.channel_classes) {
    for (const std::int32_t channel : of.channels) {
      const auto& plan = made.plan.channels[static_cast<std::size_t>(channel)];
      Costs& costs = result[static_cast<std::size_t>(channel)];
      const auto positions = static_cast<std::size_t>(plan.schedule->positions());
      for (const FlatPhase& phase : flatten(*plan.schedule)) {
        costs.blocks.emplace_back(positions).fill(*of.costs, phase, phase.varies ? 9 : 0);
      }
      for (std::size_t x = 0; x < positions; ++x) {
        costs.ranks.push_back(plan.placement.rank_at(static_cast<std::int32_t>(x)));
      }
    }
  }
  return result;
}

class SlowRows : public testing::TestWithParam<const char*> {
 protected:
  PointSpec point() const {
    PointSpec point;
    point.collective = point_collective_;
    point.algorithm = GetParam();
    point.bytes = 1 << 20;
    point.channels = 4;
    return point;
  }
  std::vector<Costs> costs(const std::vector<SlowElement>& slow,
                           const ParameterValues& values) const {
    CaseBuilder builder(*machine_, MachineChanges{0, slow});
    return costs_of(builder.build(values, point()));
  }

  std::shared_ptr<const Topology> machine_ = with_ranks(load_machine("hgx-h100x1260"), 32);
  ParameterValues values_ = values_of(prior_profile(*machine_, ExecutorKind::nccl));
  Collective point_collective_ =
      std::string(GetParam()) == "pairwise" ? Collective::all_to_all : Collective::all_reduce;
};

TEST_P(SlowRows, ARankIsSlowInItsLaneAlone) {
  const auto base = costs({}, values_);
  const auto slow = costs({slow_element_from("rank=17:x1.5")}, values_);
  int changed = 0;
  for (std::size_t c = 0; c < base.size(); ++c) {
    for (std::size_t b = 0; b < base[c].blocks.size(); ++b) {
      const CostBlock &was = base[c].blocks[b], &is = slow[c].blocks[b];
      EXPECT_EQ(is.port, was.port);
      EXPECT_EQ(is.latency, was.latency);
      EXPECT_EQ(is.credit, was.credit);
      for (std::size_t x = 0; x < was.lane.size(); ++x) {
        const bool here = base[c].ranks[x] == 17;
        EXPECT_EQ(is.lane[x], here ? (was.lane[x] * 3 + 1) / 2 : was.lane[x]);
        changed += here && was.lane[x] > 0;
      }
    }
  }
  EXPECT_GT(changed, 0);
}

// A NIC at 1/F is what nic.bandwidth / F and F x nic.latency would be, where its messages go.
TEST_P(SlowRows, ANicIsSlowForItsMessagesAlone) {
  const auto base = costs({}, values_);
  std::vector<SlowElement> nics;  // of one node
  for (std::int32_t r = 16; r < 24; ++r) {
    nics.push_back(slow_element_from("nic=" + std::to_string(r) + ":x3"));
  }
  const auto slow = costs(nics, values_);
  auto other = values_;
  other["nic.bandwidth"] /= 3;
  const auto narrow = costs({}, other);
  int changed = 0, rows = 0;
  for (std::size_t c = 0; c < base.size(); ++c) {
    const auto& ranks = base[c].ranks;
    for (std::size_t b = 0; b < base[c].blocks.size(); ++b) {
      const CostBlock &was = base[c].blocks[b], &is = slow[c].blocks[b];
      EXPECT_EQ(is.lane, was.lane);
      for (std::size_t x = 0; x < ranks.size(); ++x) {
        ++rows;
        EXPECT_GE(is.port[x], was.port[x]);
        EXPECT_GE(is.latency[x], was.latency[x]);
        if (is.port[x] == was.port[x] && is.latency[x] == was.latency[x]) continue;
        EXPECT_NEAR(static_cast<double>(is.port[x]),
                    static_cast<double>(narrow[c].blocks[b].port[x]), 2);
        ++changed;
      }
    }
  }
  EXPECT_GT(changed, 0);
  EXPECT_LT(changed, rows / 2);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, SlowRows, testing::Values("ring", "tree", "pairwise"),
                         [](const auto& row) { return std::string(row.param); });

TEST(SlowElements, ARackIsAllOfItsRanksAndLinks) {
  const auto machine = with_ranks(load_machine("hgx-h100x1260"), 32);
  const SlowElements rack(*machine, {slow_element_from("rack=2:x1.5")});
  for (std::int32_t r = 0; r < 32; ++r) EXPECT_EQ(rack.rank_factor(r), r / 8 == 2 ? 1.5 : 1.0);
  const auto factors = [&](std::int32_t from, std::int32_t to) {
    std::vector<double> result;
    const Route route = machine->route(RankId::from(from), RankId::from(to));
    for (const LinkId link : route.span()) {
      result.push_back(rack.link_factor(link));
    }
    return result;
  };
  for (const double factor : factors(16, 17)) EXPECT_EQ(factor, 1.5);
  for (const double factor : factors(0, 1)) EXPECT_EQ(factor, 1);
  EXPECT_EQ(factors(16, 0).front(), 1.5);
  EXPECT_EQ(factors(16, 0).back(), 1);
  EXPECT_EQ(factors(0, 16).back(), 1.5);
}

TEST(SlowElements, ALinkHasItsName) {
  const auto machine = with_ranks(load_machine("hgx-h100x1260"), 16);
  const Route route = machine->route(RankId::from(0), RankId::from(9));
  const LinkId link = route.links[0];
  const SlowElements slow(*machine,
                          {slow_element_from("link=" + machine->link_name(link) + ":x2"),
                           slow_element_from("link=" + machine->link_name(link) + ":x3")});
  EXPECT_EQ(slow.link_factor(link), 6);
  for (std::int64_t l = 0; l < machine->links(); ++l) {
    if (LinkId::from(l) == link) continue;
    EXPECT_EQ(slow.link_factor(LinkId::from(l)), 1);
  }
}

}  // namespace
}  // namespace fabricast
