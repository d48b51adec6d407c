// Our algorithms written as MSCCL XML and read back: the same steps, still correct.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/unit/schedule/fitting_space.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

ExecutionPlan plan_for(const AlgorithmEntry& entry, const RankSpace& space, std::int32_t channels) {
  PlanLimits limits;
  limits.channels = channels;
  limits.max_slice_bytes = 1024;
  // Three chunks per channel for those that pipeline.
  return make_plan(entry.collective, entry.name, space, std::int64_t{3072} * channels, 4, limits);
}

// What all lanes do to data, whatever their names: (action, peers, chunks moved) summed over steps.
struct Work {
  std::int64_t sent = 0, received = 0, reduced = 0, copied = 0;
  bool operator==(const Work&) const = default;
};

// By rank and peer (-1 for local work).
std::map<std::pair<std::int32_t, std::int32_t>, Work> work_of(const ExecutionPlan& plan) {
  std::map<std::pair<std::int32_t, std::int32_t>, Work> work;
  for (const auto& channel : plan.channels) {
    for (std::int32_t rank = 0; rank < plan.ranks(); ++rank) {
      for (std::int32_t role = 0; role < channel.schedule->roles; ++role) {
        for (const Step& step : expand(*channel.schedule, channel.placement, rank, role).steps) {
          if (step.action == action_none) continue;
          const std::int64_t n = static_cast<std::int64_t>(step.chunk_count);
          const bool receives = (step.action & action_recv) != 0;
          if (receives) work[{rank, static_cast<std::int32_t>(step.peer_in)}].received += n;
          if ((step.action & action_send) != 0) {
            work[{rank, static_cast<std::int32_t>(step.peer_out)}].sent += n;
          }
          if ((step.action & action_reduce) != 0) work[{rank, -1}].reduced += n;
          if ((step.action & action_copy) != 0) work[{rank, -1}].copied += n;
        }
      }
    }
  }
  return work;
}

TEST(MscclExport, EveryAlgorithmComesBackTheSame) {
  int cases = 0;
  for (const auto& entry : algorithm_catalogue()) {
    if (entry.collective == Collective::send_recv) continue;
    for (const RankSpace& space : {RankSpace{2}, RankSpace{5}, RankSpace{8}, RankSpace{2, 2},
                                   RankSpace{4, 3}, RankSpace{3, 5}}) {
      if (!why_not(entry, space).empty()) continue;
      for (const std::int32_t channels : {1, 3}) {
        const auto plan = plan_for(entry, space, channels);
        const std::string xml = to_msccl_xml(plan);
        const auto imported = read_msccl_xml(xml, "f.xml");
        const auto back = plan_of(imported.schedule, 0, 4, {});
        EXPECT_EQ(imported.schedule->collective, entry.collective);
        EXPECT_EQ(imported.schedule->algorithm, entry.name);
        const auto report = verify(back);
        EXPECT_TRUE(report.ok()) << entry.name << " " << to_string(entry.collective) << " "
                                 << space.size() << " x" << channels << "\n"
                                 << (report.ok() ? "" : report.findings[0].text);
        EXPECT_TRUE(work_of(plan) == work_of(back)) << entry.name << " " << space.size();
        ++cases;
      }
    }
  }
  EXPECT_GT(cases, 150);
}

TEST(MscclExport, WritingWhatWasReadChangesNothing) {
  for (const auto& entry : algorithm_catalogue()) {
    if (entry.collective == Collective::send_recv) continue;
    const RankSpace space = fitting_space(entry, {2, 3});
    const auto once = read_msccl_xml(to_msccl_xml(plan_for(entry, space, 2)), "f.xml");
    const auto xml = to_msccl_xml(plan_of(once.schedule, 0, 4, {}));
    const auto twice = read_msccl_xml(xml, "f.xml");
    EXPECT_EQ(xml, to_msccl_xml(plan_of(twice.schedule, 0, 4, {}))) << entry.name;
  }
}

TEST(MscclExport, RunsOfChunksStayOneMessage) {
  // Halving-doubling moves 4, 2, 1, 1, 2, 4 of 8 chunks, always next to each other.
  const auto plan =
      plan_for(*find_algorithm("halving_doubling", Collective::all_reduce), RankSpace{8}, 1);
  const auto back = read_msccl_xml(to_msccl_xml(plan), "f.xml");
  const auto report = verify(*back.schedule, Placement::identity(RankSpace{8}));
  EXPECT_EQ(report.messages, 8 * 6);
}

TEST(MscclExport, RefusesWhatMsccclCannotSay) {
  const auto refusal = [](const ExecutionPlan& plan) -> std::string {
    try {
      to_msccl_xml(plan);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "written";
  };
  EXPECT_THAT(refusal(plan_for(*find_algorithm("direct", Collective::send_recv), RankSpace{4}, 1)),
              HasSubstr("MSCCL has no collective send_recv"));
  EXPECT_THAT(refusal(make_plan(Collective::broadcast, "ring", RankSpace{4}, 4096, 4, {}, 2)),
              HasSubstr("rank 0 then, not 2"));
}

}  // namespace
}  // namespace fabricast
