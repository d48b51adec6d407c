#include "bench/harness/sweep_sizes.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/effective_bytes.hpp"

namespace fabricast {
namespace {

using Sizes = std::vector<std::int64_t>;

TEST(SweepSizes, MultiplyUpToTheLargest) {
  EXPECT_EQ(sweep_sizes(8, 64, 2), (Sizes{8, 16, 32, 64}));
  EXPECT_EQ(sweep_sizes(8, 100, 2), (Sizes{8, 16, 32, 64}));
  EXPECT_EQ(sweep_sizes(8, 8, 2), (Sizes{8}));
  EXPECT_EQ(sweep_sizes(8, 8, 1), (Sizes{8})) << "one size needs no factor";
  EXPECT_EQ(sweep_sizes(1, 5, 1.5), (Sizes{1, 2, 3, 4})) << "always grows by a byte at least";
  EXPECT_EQ(sweep_sizes(8, std::int64_t{16} << 30, 2).size(), 32u);
}

TEST(SweepSizes, HugeLimitsDoNotOverflow) {
  const auto top = std::numeric_limits<std::int64_t>::max();
  const auto sizes = sweep_sizes(1, top, 1024);
  for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_GT(sizes[i], sizes[i - 1]);
  EXPECT_EQ(linear_sizes(top - 1, top, 2), (Sizes{top - 1}));
}

TEST(SweepSizes, StepByTheIncrement) {
  EXPECT_EQ(linear_sizes(10, 40, 10), (Sizes{10, 20, 30, 40}));
  EXPECT_EQ(linear_sizes(10, 39, 10), (Sizes{10, 20, 30}));
}

TEST(SweepSizes, BadRangesAreUsageErrors) {
  EXPECT_THROW(sweep_sizes(64, 8, 2), UsageError);
  EXPECT_THROW(sweep_sizes(0, 8, 2), UsageError);
  EXPECT_THROW(sweep_sizes(-8, 8, 2), UsageError);
  EXPECT_THROW(sweep_sizes(8, 64, 1), UsageError);
  EXPECT_THROW(sweep_sizes(8, 64, 0.5), UsageError);
  EXPECT_THROW(sweep_sizes(8, 64, std::numeric_limits<double>::quiet_NaN()), UsageError);
  EXPECT_THROW(sweep_sizes(8, 64, std::numeric_limits<double>::infinity()), UsageError);
  EXPECT_THROW(sweep_sizes(1, 1 << 30, 1.0000001), UsageError);
  EXPECT_THROW(linear_sizes(1, 1 << 30, 1), UsageError);
  EXPECT_THROW(linear_sizes(8, 64, 0), UsageError);
}

// What does not run as asked is told, once for all of its sizes.
TEST(SizeNotes, SayWhatRunsInstead) {
  SizeNotes told("all_reduce", 72, least_bytes(Collective::all_reduce, 72, 4), 4);
  for (const std::int64_t asked : {3, 6, 12, 25}) told.add(asked, asked - asked % 4);
  const std::vector<std::string> expected{
      "all_reduce: sizes 3 round to 0 bytes on 72 ranks and are left out: the least is one element "
      "of 4 B",
      "all_reduce: sizes are whole elements of 4 B: 6 runs as 4, 1 more so"};
  EXPECT_EQ(told.notes(), expected);
  SizeNotes blocks("all_gather", 72, least_bytes(Collective::all_gather, 72, 4), 4);
  blocks.add(8, 0);
  blocks.add(2000, 1152);
  ASSERT_EQ(blocks.notes().size(), 1u) << "nccl-tests' rounding is not told";
  EXPECT_NE(blocks.notes()[0].find("least is 1152 B, the same for every rank"), std::string::npos);
}

TEST(EffectiveBytes, ReductionsAndBroadcastsCarryWholeElements) {
  EXPECT_EQ(effective_bytes(Collective::all_reduce, 8, 72, 4), 8);
  EXPECT_EQ(effective_bytes(Collective::all_reduce, 11, 72, 4), 8);
  EXPECT_EQ(effective_bytes(Collective::broadcast, 3, 2, 2), 2);
  EXPECT_EQ(effective_bytes(Collective::all_reduce, 3, 2, 4), 0);
  EXPECT_EQ(effective_bytes(Collective::reduce, 11, 3, 4), 8);
  EXPECT_EQ(effective_bytes(Collective::send_recv, 11, 3, 4), 8);
}

// nccl-tests rounds all_gather, reduce_scatter and alltoall down to 16-byte multiples per rank: on
// 72 ranks a size of 8 KiB runs as 72 x 112 B = 8064 B.
TEST(EffectiveBytes, BlocksAreMultiplesOf16Bytes) {
  for (const auto collective : {Collective::all_gather, Collective::reduce_scatter,
                                Collective::all_to_all, Collective::gather, Collective::scatter}) {
    EXPECT_EQ(effective_bytes(collective, 8192, 72, 4), 8064);
    EXPECT_EQ(effective_bytes(collective, 8192, 8, 2), 8192);
    EXPECT_EQ(effective_bytes(collective, 31, 2, 4), 0);
    EXPECT_EQ(effective_bytes(collective, 32, 2, 4), 32);
  }
}

}  // namespace
}  // namespace fabricast
