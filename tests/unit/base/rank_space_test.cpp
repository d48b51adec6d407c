#include "emulator/base/rank_space.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

TEST(RankSpace, DigitsAreMixedRadixFastestFirst) {
  const RankSpace space{72, 140};
  EXPECT_EQ(space.size(), 10080);
  EXPECT_EQ(space.domain_size(), 72);
  EXPECT_EQ(space.domains(), 140);
  EXPECT_EQ(space.digit_of(0, 0), 0);
  EXPECT_EQ(space.digit_of(10079, 0), 71);
  EXPECT_EQ(space.digit_of(10079, 1), 139);
  EXPECT_EQ(space.digit_of(73, 0), 1);
  EXPECT_EQ(space.digit_of(73, 1), 1);
  EXPECT_EQ(space.weight(1), 72);
}

TEST(RankSpace, EveryRankIsTheSumOfItsDigits) {
  const RankSpace space{3, 4, 5};
  for (std::int32_t rank = 0; rank < space.size(); ++rank) {
    std::int32_t sum = 0;
    for (int d = 0; d < space.digits(); ++d) sum += space.digit_of(rank, d) * space.weight(d);
    EXPECT_EQ(sum, rank);
  }
}

}  // namespace
}  // namespace fabricast
