#include "emulator/sim/step_log.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

LoggedStep step(std::int32_t column, std::int32_t role, std::int64_t start, std::int64_t end) {
  return {column, role, 0, start, end, 0, StepBound::lane};
}

TEST(StepLog, NumbersTheStepsOfEveryLane) {
  StepLog log({7, 3, 7}, 2);
  EXPECT_EQ(log.columns(), (std::vector<std::int32_t>{3, 7}));
  EXPECT_TRUE(log.watches(3));
  EXPECT_FALSE(log.watches(4));
  EXPECT_FALSE(log.watches(8));
  for (const auto& [column, role] : {std::pair{7, 1}, {3, 0}, {7, 1}, {7, 0}}) {
    log.add(step(column, role, 1, 2));
  }
  EXPECT_EQ(log.found(), 4);
  EXPECT_EQ(log.complete_until_ps(), TimeWindow::no_end);
  const auto steps = log.take();
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[0].column, 3);
  EXPECT_EQ(steps[1].role, 0);
  EXPECT_EQ(steps[2].step, 0);
  EXPECT_EQ(steps[3].step, 1);
}

// Whatever the order of lanes: the first by start, and until when nothing is missing.
TEST(StepLog, KeepsTheFirstInTimeAndCountsAll) {
  for (const bool backwards : {false, true}) {
    StepLog log({0, 1}, 1, {}, 5);
    for (const std::int32_t column : backwards ? std::vector{1, 0} : std::vector{0, 1}) {
      for (std::int64_t i = 0; i < 10; ++i) log.add(step(column, 0, 10 * i, 10 * i + 10));
    }
    EXPECT_EQ(log.found(), 20);
    EXPECT_EQ(log.complete_until_ps(), 20);
    const auto steps = log.take();
    ASSERT_EQ(steps.size(), 5u);
    EXPECT_EQ(steps[2].column, 0);
    EXPECT_EQ(steps[2].start_ps, 20);
    EXPECT_EQ(steps[3].column, 1);
    EXPECT_EQ(steps[4].start_ps, 10);
  }
}

TEST(StepLog, AWindowLeavesNumbersAlone) {
  StepLog log({0}, 1, {25, 45});
  for (std::int64_t i = 0; i < 10; ++i) log.add(step(0, 0, 10 * i, 10 * i + 10));
  EXPECT_EQ(log.found(), 3);
  const auto steps = log.take();
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps.front().step, 2);
  EXPECT_EQ(steps.back().step, 4);
}

TEST(StepLog, NamesTheTermThatDecided) {
  EXPECT_EQ(bound_of(0, 0, -1, -1), StepBound::nothing);
  EXPECT_EQ(bound_of(5, 5, 5, 5), StepBound::lane);
  EXPECT_EQ(bound_of(5, 4, 5, 5), StepBound::data);
  EXPECT_EQ(bound_of(5, 4, -1, 5), StepBound::slot);
  EXPECT_EQ(bound_of(5, 4, 3, 2), StepBound::other_lane);
}

}  // namespace
}  // namespace fabricast
