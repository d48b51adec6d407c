#include "emulator/runtime/multimem_request.hpp"

#include <gtest/gtest.h>

#include <string>

#include "emulator/base/error.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

ExecutionPlan nvls(const RankSpace& space, std::int64_t bytes, std::int32_t channels = 1,
                   std::int32_t element = 4) {
  PlanLimits limits;
  limits.channels = channels;
  return make_plan(Collective::all_reduce, "nvls", space, bytes, element, limits);
}

std::string refusal(const RunRequest& request) {
  try {
    check_multimem_request(request);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(MultimemRequest, EveryPairButMinAndMaxOfFloats) {
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    const auto plan = nvls(RankSpace{4}, 4096, 1, size_of(type));
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      const auto why = refusal({&plan, type, op});
      const bool never = type == DataType::float32 && op != ReduceOp::sum;
      EXPECT_EQ(why.find("no switch reduces float by") == 0, never) << why;
      EXPECT_EQ(why.empty(), !never) << why;
    }
  }
}

TEST(MultimemRequest, WhatIsNoReductionOfOneSwitchIsRefusedWithTheReason) {
  const auto ring = make_plan(Collective::all_reduce, "ring", RankSpace{4}, 4096, 4, {});
  EXPECT_NE(refusal({&ring}).find("this is all_reduce by ring"), std::string::npos);
  const auto gather = make_plan(Collective::all_gather, "nvls", RankSpace{4}, 4096, 4, {});
  EXPECT_NE(refusal({&gather}).find("this is all_gather by nvls"), std::string::npos);
  const auto racks = nvls(RankSpace{4, 2}, 4096);
  EXPECT_NE(refusal({&racks}).find("in one NVLink domain"), std::string::npos);
  const auto plan = nvls(RankSpace{4}, 4096);
  EXPECT_EQ(refusal({&plan}), "");
  RunRequest lines{&plan};
  lines.hand_off = HandOff::ll;
  EXPECT_NE(refusal(lines).find("no protocol ll"), std::string::npos);
  RunRequest graph{&plan};
  graph.graph = true;
  EXPECT_NE(refusal(graph).find("launch as a graph"), std::string::npos);
}

TEST(MultimemRequest, BuffersLieBehindTheCountersInWholeLines) {
  const auto plan = nvls(RankSpace{3}, 1000);  // 62.5 units of 16 bytes
  for (const bool in_place : {false, true}) {
    const RunRequest request{&plan, DataType::float32, ReduceOp::sum, in_place};
    const auto work = multimem_work(request, 2);
    EXPECT_EQ(work.member, 2);
    EXPECT_EQ(work.members, 3);
    EXPECT_EQ(work.ctas, static_cast<std::int32_t>(plan.channels.size()));
    EXPECT_EQ(work.bytes, 1008);
    EXPECT_EQ(work.input_offset, lane::multimem_data_offset);
    EXPECT_EQ(work.output_offset, work.input_offset + (in_place ? 0 : 1024));
    EXPECT_EQ(multimem_bytes(work), work.output_offset + 1024);
  }
}

}  // namespace
}  // namespace fabricast
