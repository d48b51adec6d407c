#include "emulator/report/compare_statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {
namespace {

TEST(CompareStatistics, StudentTailsAreTheTabulatedOnes) {
  // Critical values of any printed t table: P(T > t) for the degrees of freedom.
  EXPECT_NEAR(student_tail(6.314, 1), 0.05, 1e-5);
  EXPECT_NEAR(student_tail(4.604, 4), 0.005, 1e-5);
  EXPECT_NEAR(student_tail(2.764, 10), 0.01, 1e-5);
  EXPECT_NEAR(student_tail(5.694, 12), 0.00005, 1e-6);
  EXPECT_NEAR(student_tail(1.6449, 1e7), 0.05, 1e-5);  // normal
  EXPECT_DOUBLE_EQ(student_tail(0, 5), 0.5);
  EXPECT_NEAR(student_tail(-2.764, 10), 0.99, 1e-5);
  EXPECT_TRUE(std::isnan(student_tail(NAN, 5)));
  EXPECT_EQ(student_tail(HUGE_VAL, 5), 0);
  EXPECT_NEAR(student_quantile(0.005, 4), 4.604, 1e-3);
  for (const double degrees : {1.0, 3.5, 8.0, 40.0}) {
    EXPECT_NEAR(student_tail(student_quantile(1e-5, degrees), degrees), 1e-5, 1e-9);
  }
}

TEST(CompareStatistics, HolmsExample) {
  // Sorted p x (4, 3, 2, 1), made monotone.
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
  EXPECT_THAT(
      holm_adjusted(p),
      testing::ElementsAre(testing::DoubleNear(0.03, 1e-12), testing::DoubleNear(0.06, 1e-12),
                           testing::DoubleNear(0.06, 1e-12), testing::DoubleNear(0.02, 1e-12)));
  EXPECT_EQ(holm_adjusted(std::vector<double>{NAN, 0.9}), (std::vector<double>{1, 1}));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(CompareStatistics, TheErrorOfTheMedianIsWhatManyMediansShow) {
  for (const int n : {5, 10, 20, 101}) {
    std::vector<double> medians;
    double claimed = 0;
    constexpr int trials = 2000;
    for (std::uint64_t trial = 0; trial < trials; ++trial) {
      std::vector<double> values;
      for (int i = 0; i < n; ++i) {
        values.push_back(random_normal(7, trial, static_cast<std::uint64_t>(i)));
      }
      const MedianEstimate estimate = estimate_median(values);
      EXPECT_EQ(estimate.median, median_of(values));
      medians.push_back(estimate.median);
      claimed += estimate.error * estimate.error / trials;
    }
    double seen = 0;
    for (const double median : medians) seen += median * median / trials;
    // Never too small. For an even count it is the error of one middle value, not of their mean.
    EXPECT_GT(std::sqrt(claimed / seen), 0.95) << n;
    EXPECT_LT(std::sqrt(claimed / seen), n % 2 == 1 ? 1.15 : 1.25) << n;
  }
}

TEST(CompareStatistics, TwoModesMakeTheMedianUncertain) {
  std::vector<double> values;
  for (int i = 0; i < 20; ++i) values.push_back(i % 2 == 0 ? 0.0 : 1.0);
  EXPECT_GT(estimate_median(values).error, 0.3);
  EXPECT_EQ(estimate_median({3.0, 3.0, 3.0}).error, 0);
  EXPECT_EQ(estimate_median({3.0}).median, 3.0);
}

}  // namespace
}  // namespace fabricast
