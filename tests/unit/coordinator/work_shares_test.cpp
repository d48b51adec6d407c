#include "emulator/coordinator/work_shares.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

const std::vector<ScenarioPoint> points{{Collective::all_reduce, "ring", 8},
                                        {Collective::all_reduce, "tree", 8},
                                        {Collective::all_reduce, "ring", 16},
                                        {Collective::all_reduce, "tree", 16},
                                        {Collective::broadcast, "ring", 16}};

TEST(WorkShares, TheLongestHasAProcessOfItsOwn) {
  WorkShares shares(2);
  shares.learn(points[0], 1);
  shares.learn(points[1], 5);
  // The tree's five seconds on one side, three of rings on the other.
  EXPECT_EQ(shares.of(points, {0, 2, 3, 0}), (std::vector<std::size_t>{1, 1, 0, 1}));
}

TEST(WorkShares, WhatIsUnknownCountsAsTheLongest) {
  WorkShares shares(2);
  EXPECT_EQ(shares.of(points, {0, 1, 2, 3}), (std::vector<std::size_t>{0, 1, 0, 1}));
  shares.learn(points[0], 1);
  shares.learn(points[1], 3);
  EXPECT_EQ(shares.of(points, {0, 4, 3, 2}), (std::vector<std::size_t>{0, 0, 1, 1}));
}

TEST(WorkShares, EveryPointHasOneOfTheProcesses) {
  WorkShares shares(3);
  for (const std::size_t owner : shares.of(points, {0, 1, 2, 3, 4})) EXPECT_LT(owner, 3u);
  EXPECT_TRUE(shares.of(points, {}).empty());
}

}  // namespace
}  // namespace fabricast
