#include "emulator/runtime/rank_buffers.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

ExecutionPlan plan_of(Collective collective, std::int64_t elements) {
  const auto algorithm = algorithms_of(collective).front();
  return make_plan(collective, algorithm, RankSpace{4}, elements * 4, 4, {});
}

TEST(RankBuffers, OutOfPlaceBuffersDoNotOverlap) {
  for (const auto collective : {Collective::all_reduce, Collective::all_gather,
                                Collective::reduce_scatter, Collective::all_to_all}) {
    const auto plan = plan_of(collective, 100);
    const auto b = rank_buffers({&plan}, 1);
    EXPECT_GE(b.output_offset, b.input_offset + b.input_bytes);
    EXPECT_EQ(b.allocation_bytes, b.output_offset + b.output_bytes);
  }
}

TEST(RankBuffers, InPlaceFollowsNccl) {
  const auto in_place = [](Collective collective) {
    const auto plan = plan_of(collective, 100);
    return rank_buffers({&plan, DataType::float32, ReduceOp::sum, true}, 3);
  };
  const auto reduce = in_place(Collective::all_reduce);
  EXPECT_EQ(reduce.input_offset, reduce.output_offset);
  EXPECT_EQ(reduce.allocation_bytes, 400);
  const auto gather = in_place(Collective::all_gather);
  EXPECT_EQ(gather.input_offset, 300);
  EXPECT_EQ(gather.output_offset, 0);
  const auto scatter = in_place(Collective::reduce_scatter);
  EXPECT_EQ(scatter.input_offset, 0);
  EXPECT_EQ(scatter.output_offset, 300);
  const auto to_root = in_place(Collective::gather);
  EXPECT_EQ(to_root.input_offset, 300);
  EXPECT_EQ(to_root.output_offset, 0);
  const auto from_root = in_place(Collective::scatter);
  EXPECT_EQ(from_root.input_offset, 0);
  EXPECT_EQ(from_root.output_offset, 300);
  EXPECT_EQ(in_place(Collective::reduce).allocation_bytes, 400);
}

TEST(RankBuffers, WhatCannotBeInPlaceIsRefusedByName) {
  for (const auto collective : {Collective::all_to_all, Collective::send_recv}) {
    const auto plan = plan_of(collective, 100);
    try {
      check_request({&plan, DataType::float32, ReduceOp::sum, true});
      FAIL() << to_string(collective);
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()).find(to_string(collective)), 0u) << error.what();
    }
  }
}

TEST(RankBuffers, BlocksAreWholeElements) {
  const auto plan = plan_of(Collective::all_gather, 103);  // 103 / 4 = 25 per rank
  const auto b = rank_buffers({&plan}, 0);
  EXPECT_EQ(b.input_bytes, 100);
  EXPECT_EQ(b.output_bytes, 400);
}

TEST(ExpectedOutputs, FindsASingleWrongElementOnAnyRank) {
  for (const auto collective :
       {Collective::all_reduce, Collective::all_gather, Collective::broadcast,
        Collective::reduce_scatter, Collective::all_to_all, Collective::reduce, Collective::gather,
        Collective::scatter, Collective::send_recv}) {
    const auto plan = plan_of(collective, 40);
    const RunRequest request{&plan};
    ExpectedOutputs expected(request);
    for (std::int32_t rank = 0; rank < 4; ++rank) {
      const auto b = rank_buffers(request, rank);
      std::vector<std::byte> output(static_cast<std::size_t>(b.output_bytes), std::byte{0xFF});
      const auto elements = b.output_bytes / 4;
      const bool counts = has_result(plan, rank);
      EXPECT_EQ(counts, rank == 0 ||
                            (collective != Collective::reduce && collective != Collective::gather));
      EXPECT_EQ(expected.count_mismatches(rank, output), counts ? elements : 0);  // all is poison
    }
  }
}

TEST(RootRank, IsTheRankAtPositionZero) {
  const auto plan = make_plan(Collective::broadcast, "ring", RankSpace{2, 3}, 64, 4, {}, 5);
  EXPECT_EQ(root_rank(plan), 5);
}

}  // namespace
}  // namespace fabricast
