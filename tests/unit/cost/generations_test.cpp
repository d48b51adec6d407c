// GPUs of several generations in one machine, and jobs on some of them.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/generation_ratios.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/rank_selection.hpp"

namespace fabricast {
namespace {

// Two boxes of the first and two of the other.
std::shared_ptr<const Topology> mixture(const std::string& first, const std::string& other) {
  return parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: " + first +
          "\ncount: [2, assumed, t]\nfabric: infiniband-hdr\nothers:\n  - {node: " + other +
          ", count: [2, assumed, t]}\n",
      "m.yaml");
}

// ps of a copy of 1 MiB inside a GPU: of the slowest that has a rank.
std::int64_t copy_on(const Topology& machine, const Topology& ranks) {
  const auto values = values_of(prior_profile(machine, ExecutorKind::nccl));
  PointSpec point;
  point.algorithm = "ring";
  point.bytes = 1 << 20;
  const MachineCosts costs(ranks, values, ExecutorKind::nccl, Protocol::simple,
                           plan_for(ranks, point));
  EdgeClass local;
  local.kind = EdgeKind::local;
  return costs.lane_ps(local, 1 << 20, {});
}

RankSelection part(const std::shared_ptr<const Topology>& machine, std::int32_t first,
                   std::int32_t end) {
  std::vector<RankId> ranks;
  for (std::int32_t r = first; r < end; ++r) ranks.push_back(RankId::from(r));
  return {machine, ranks};
}

TEST(Generations, AJobPaysForTheGpusThatItHas) {
  const auto machine = mixture("hgx-h100", "hgx-a100");
  const std::int64_t all = copy_on(*machine, *machine);
  const std::int64_t first = copy_on(*machine, part(machine, 0, 16));
  const std::int64_t others = copy_on(*machine, part(machine, 16, 32));
  EXPECT_EQ(first, copy_on(*machine, *with_ranks(machine, 16)));
  EXPECT_LT(first, all) << "those of the A100 are not waited for";
  EXPECT_EQ(others, all);
  const auto faster = mixture("hgx-a100", "hgx-h100");
  EXPECT_LT(copy_on(*faster, part(faster, 16, 32)), copy_on(*faster, *faster))
      << "faster than the first nodes' GPUs";
  EXPECT_EQ(copy_on(*machine, part(machine, 8, 24)), all) << "one box of each";
  const auto newer = mixture("hgx-b200", "hgx-h100");
  EXPECT_EQ(in_switch_channels(part(newer, 0, 16)), 32);
  EXPECT_EQ(in_switch_channels(part(newer, 8, 24)), 16);
  EXPECT_EQ(generations_of_ranks(part(machine, 0, 16)), std::set<std::string>{""});
  EXPECT_EQ(generations_of_ranks(part(machine, 16, 32)), std::set<std::string>{"ampere"});
  EXPECT_EQ(generations_of_ranks(*machine), (std::set<std::string>{"", "ampere"}));
}

TEST(Generations, TheNoteNamesBothPriorsAndTheirSources) {
  EXPECT_EQ(generation_note(*mixture("hgx-h100", "hgx-h200")), "");
  const std::string note = generation_note(*mixture("hgx-h100", "hgx-a100"));
  EXPECT_EQ(note.find("GPUs of ampere: the figures of hopper times the ratios"), 0U) << note;
  for (const std::string parameter : {"cta.copy_bw", "nvlink.step.ll", "nvlink.efficiency"}) {
    const auto at = note.find("\n  " + parameter + " x ");
    ASSERT_NE(at, std::string::npos) << note;
    const std::string line = note.substr(at + 1, note.find('\n', at + 1) - at - 1);
    EXPECT_NE(line.find(": hopper "), std::string::npos) << line;
    EXPECT_NE(line.find("), ampere "), std::string::npos) << line;
  }
  EXPECT_EQ(note.find("launch"), std::string::npos) << "one prior of all generations";
}

}  // namespace
}  // namespace fabricast
