#include "emulator/schedule/partition.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fabricast {
namespace {

TEST(Partition, EvenSplitCoversEverythingInOrder) {
  for (const std::int64_t total : {0, 1, 7, 64, 1000003}) {
    for (const std::int64_t parts : {1, 2, 3, 8, 100}) {
      std::int64_t next = 0;
      for (std::int64_t i = 0; i < parts; ++i) {
        const auto part = even_split(total, parts, i);
        ASSERT_EQ(part.first, next);
        ASSERT_GE(part.count, total / parts);
        ASSERT_LE(part.count, total / parts + 1);
        next += part.count;
      }
      ASSERT_EQ(next, total);
    }
  }
}

// Every element of the message belongs to exactly one (channel, loop, chunk, slice), and no message
// is larger than what engines charge for.
TEST(Partition, MessagesTileTheBuffersAndStayWithinSliceBytes) {
  const std::vector<std::pair<Collective, const char*>> cases = {
      {Collective::all_reduce, "ring"},         {Collective::all_reduce, "tree"},
      {Collective::all_reduce, "hierarchical"}, {Collective::all_gather, "ring"},
      {Collective::all_gather, "hierarchical"}, {Collective::reduce_scatter, "ring"},
      {Collective::broadcast, "ring"},          {Collective::all_to_all, "pairwise"}};
  const RankSpace space{3, 2};
  for (const auto& [collective, algorithm] : cases) {
    for (const std::int64_t bytes : {0, 4, 24, 100, 4096, 40004}) {
      PlanLimits limits;
      limits.channels = 3;
      limits.max_chunk_bytes = 1024;
      limits.max_slice_bytes = 256;
      const auto plan = make_plan(collective, algorithm, space, bytes, 4, limits);
      const auto sizes = buffer_sizes(plan);
      std::vector<int> hits(static_cast<std::size_t>(std::max(sizes.input, sizes.output)), 0);
      for (std::size_t c = 0; c < plan.channels.size(); ++c) {
        for (std::int32_t loop = 0; loop < plan.loops; ++loop) {
          for (std::int32_t chunk = 0; chunk < plan.channels[c].schedule->chunks; ++chunk) {
            for (std::int32_t slice = 0; slice < plan.slices; ++slice) {
              const auto part = message_elements(plan, static_cast<std::int32_t>(c), loop, chunk, slice);
              ASSERT_LE(part.count * 4, plan.slice_bytes);
              for (std::int64_t i = 0; i < part.count; ++i) {
                ++hits.at(static_cast<std::size_t>(part.first + i));
              }
            }
          }
        }
      }
      for (const int hit : hits) ASSERT_EQ(hit, 1) << algorithm << " " << bytes;
    }
  }
}

TEST(Partition, BufferSizesFollowNcclTests) {
  const RankSpace space{4};
  const auto sizes = [&](Collective collective, const char* algorithm) {
    return buffer_sizes(make_plan(collective, algorithm, space, 4 * 4 * 10, 4, {}));
  };
  EXPECT_EQ(sizes(Collective::all_reduce, "ring").input, 40);
  EXPECT_EQ(sizes(Collective::all_gather, "ring").input, 10);
  EXPECT_EQ(sizes(Collective::all_gather, "ring").output, 40);
  EXPECT_EQ(sizes(Collective::reduce_scatter, "ring").output, 10);
  EXPECT_EQ(sizes(Collective::all_to_all, "pairwise").output, 40);
}

}  // namespace
}  // namespace fabricast
