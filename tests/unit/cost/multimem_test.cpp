// The switch's own all-reduce: the thread block's time is its lane's, the link's time its port's,
// so that what acts on links and lanes acts on it as on everything else.
#include "emulator/cost/multimem_case.hpp"

#include <gtest/gtest.h>

#include <string>

#include "emulator/cost/case_builder.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "emulator/sim/ensemble.hpp"
#include "emulator/sim/factor_table.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr std::int32_t few_ctas = 1, many_ctas = 64;  // leave room on the link, or fill it

class InSwitch : public testing::TestWithParam<const char*> {
 protected:
  InSwitch() {
    values_.at("peer.launch") = 10;
    values_.at("peer.meeting.multimem") = 2;
    values_.at("peer.nvlink.cta_bw.multimem") = 1;
    values_.at("peer.nvlink.efficiency.multimem") = 0.5;
  }

  static PointSpec point(std::int64_t bytes, std::int32_t channels) {
    PointSpec point;
    point.executor = ExecutorKind::peers;
    point.collective = Collective::all_reduce;
    point.algorithm = "nvls";
    point.protocol = Protocol::multimem;
    point.bytes = bytes;
    point.channels = channels;
    return point;
  }
  SimDuration time(const PointSpec& of, const std::vector<std::string>& slow = {}) const {
    MachineChanges changes;
    for (const std::string& element : slow) changes.slow.push_back(slow_element_from(element));
    CaseBuilder builder(*machine_, changes);
    return evaluate_case(builder.build(values_, of), {}).time;
  }
  // Beyond launch and meetings.
  double moving_us(const PointSpec& of, const std::vector<std::string>& slow = {}) const {
    return to_us(time(of, slow)) - 14;
  }
  std::string link(std::int32_t from, std::size_t hop) const {
    const Route route = machine_->route(RankId::from(from), RankId::from(from + 1));
    return "link=" + machine_->link_name(route.links[hop]) + ":x3";
  }

  std::shared_ptr<const Topology> machine_ = load_machine(GetParam());
  ParameterValues values_ = values_of(prior_profile(*machine_, ExecutorKind::peers));
};

TEST_P(InSwitch, ItsScheduleIsAnAllReduce) {
  for (const std::int64_t bytes : {4, 4096, 1 << 20}) {
    const auto report = verify(plan_for(*machine_, point(bytes, 2)));
    EXPECT_TRUE(report.ok()) << bytes;
  }
}

TEST_P(InSwitch, ATimeIsTwoMeetingsAndTheSlowerPath) {
  const auto n = static_cast<double>(machine_->ranks());
  const double nominal = static_cast<double>(
      build_case(*machine_, values_, point(1 << 20, many_ctas)).loads.front().capacity.value());
  for (const std::int32_t channels : {few_ctas, 4, many_ctas}) {
    for (const std::int64_t bytes : {4, 1 << 16, 1 << 24, 1 << 30}) {
      const auto share =
          static_cast<double>(plan_for(*machine_, point(bytes, channels)).slice_bytes);
      const double block = share / 1e9;
      const double path = share * channels * (n + 1) / (nominal / 2);
      EXPECT_NEAR(to_us(time(point(bytes, channels))), 14 + 1e6 * std::max(block, path), 1e-3)
          << channels << " " << bytes;
    }
  }
}

// Loads of all members cross every link upwards, results of all downwards: whichever is slow.
TEST_P(InSwitch, ASlowLinkCountsWhereTheLinkIsTheBottleneck) {
  const PointSpec wide = point(1 << 30, many_ctas), narrow = point(1 << 30, few_ctas);
  for (const std::size_t hop : {0u, 1u}) {
    const std::vector<std::string> slow{link(3, hop)};
    EXPECT_NEAR(moving_us(wide, slow) / moving_us(wide), 3, 1e-3);
    // The way to the meetings is longer, no more.
    EXPECT_NEAR(moving_us(narrow, slow) / moving_us(narrow), 1, 1e-3);
    EXPECT_GT(moving_us(narrow, slow), moving_us(narrow));
  }
}

TEST_P(InSwitch, ASlowRankCountsWhereTheThreadBlockIsTheBottleneck) {
  EXPECT_NEAR(
      moving_us(point(1 << 30, few_ctas), {"rank=3:x3"}) / moving_us(point(1 << 30, few_ctas)), 3,
      1e-2);
  // 14 us of launch and meetings, of which the slow rank has three times 4.
  EXPECT_NEAR(moving_us(point(4, few_ctas), {"rank=3:x3"}), 8, 0.1);
}

// In the mean of many runs the slowest of the members is waited for three times.
TEST_P(InSwitch, JitterIsDrawnForThreadBlocksAndLinks) {
  const FactorTable table(jitter_from("lognormal:0.2"));
  for (const std::int32_t channels : {few_ctas, many_ctas}) {
    for (const std::int64_t bytes : {std::int64_t{4}, std::int64_t{1} << 30}) {
      CaseBuilder builder(*machine_);
      const CollectiveCase made = builder.build(values_, point(bytes, channels));
      Ensemble ensemble(made, table, 1, InstructionSet::baseline);
      const auto times = ensemble.times_ps(0, 16);
      double mean = 0;
      for (const std::int64_t time : times) mean += static_cast<double>(time) / 16;
      const auto usual = static_cast<double>(evaluate_case(made, {}).time.value());
      const auto launch = static_cast<double>(made.launch.value());
      EXPECT_GT((mean - launch) / (usual - launch), 1.1) << channels << " " << bytes;
      EXPECT_LT((mean - launch) / (usual - launch), 2.5) << channels << " " << bytes;
      EXPECT_NE(times.front(), times.back());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, InSwitch, testing::Values("hgx-h100", "gb200-nvl72"),
                         [](const auto& row) {
                           return std::string(row.param == std::string("hgx-h100") ? "box"
                                                                                   : "rack");
                         });

}  // namespace
}  // namespace fabricast
