#include "bench/harness/disturbance.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "bench/harness/time_budget.hpp"

namespace fabricast {
namespace {

std::vector<double> quiet(int n) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(100 + i % 3);
  return values;
}

std::ptrdiff_t count(const std::vector<bool>& flags) {
  return std::count(flags.begin(), flags.end(), true);
}

TEST(Disturbance, FlagsASchedulerTickAndNothingElse) {
  auto values = quiet(40);
  values[17] = 4100;
  const auto flags = disturbed(values);
  EXPECT_EQ(count(flags), 1);
  EXPECT_TRUE(flags[17]);
}

TEST(Disturbance, SmallValuesAreNeverFlagged) {
  auto values = quiet(40);
  values[3] = 1;
  EXPECT_EQ(count(disturbed(values)), 0);
}

TEST(Disturbance, AWideSpreadIsNotADisturbance) {
  // Above twice the median, but within ten robust standard deviations.
  std::vector<double> values{10, 40, 70, 100, 130, 160, 190, 220};
  for (int i = 0; i < 3; ++i) values.insert(values.end(), {20, 50, 80, 110, 140, 170});
  values.push_back(300);
  EXPECT_EQ(count(disturbed(values)), 0);
}

TEST(Disturbance, ASecondModeIsTheMachineNotADisturbance) {
  auto values = quiet(40);
  for (std::size_t i = 0; i < 8; ++i) values[i * 5] = 1000;  // 20 %
  EXPECT_EQ(count(disturbed(values)), 0);
}

TEST(Disturbance, FewValuesHaveNoMedianToSpeakOf) {
  EXPECT_EQ(count(disturbed(std::vector<double>{1, 1, 1, 1000})), 0);
  EXPECT_TRUE(disturbed({}).empty());
}

TEST(TimeBudget, NoLimitAdmitsEverything) {
  const TimeBudget budget(0);
  EXPECT_FALSE(budget.limited());
  EXPECT_TRUE(budget.admits(1e9, 1e9, 1e9));
  EXPECT_EQ(budget.ceiling(1e9, 0, 1, 0.5), 0.5);
}

TEST(TimeBudget, AdmitsWhatFitsWithItsFloor) {
  const TimeBudget budget(10);
  EXPECT_TRUE(budget.admits(1, 2, 7));
  EXPECT_FALSE(budget.admits(1, 2, 7.1));
}

TEST(TimeBudget, SharesWhatIsLeftAndPassesOnWhatIsNotUsed) {
  const TimeBudget budget(10);
  EXPECT_DOUBLE_EQ(budget.ceiling(2, 3, 5, 99), 1);
  EXPECT_DOUBLE_EQ(budget.ceiling(2, 3, 1, 99), 5);
  EXPECT_DOUBLE_EQ(budget.ceiling(2, 3, 5, 0.5), 0.5) << "the ceiling per size holds too";
  EXPECT_DOUBLE_EQ(budget.ceiling(12, 3, 5, 99), 0) << "only the floor";
}

}  // namespace
}  // namespace fabricast
