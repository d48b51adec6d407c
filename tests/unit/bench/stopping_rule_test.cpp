#include "bench/harness/stopping_rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "bench/harness/order_statistics.hpp"
#include "emulator/base/counter_rng.hpp"

namespace fabricast {
namespace {

struct Outcome {
  int iterations = 0;
  StopReason reason{};
  double median = 0;
};

// Feeds value(n) to the rule until it stops; each iteration takes value(n) microseconds.
Outcome drive(StoppingRule& rule, const std::function<double(int)>& value, double ceiling = 1e9) {
  rule.start();
  std::vector<double> values;
  double elapsed = 0;
  while (true) {
    values.push_back(value(static_cast<int>(values.size())));
    rule.add(values.back());
    elapsed += values.back() * 1e-6;
    if (const auto reason = rule.verdict(elapsed, ceiling)) {
      return {static_cast<int>(values.size()), *reason, median_of_sorted(sorted_copy(values))};
    }
  }
}

double log_normal(std::uint64_t seed, int n, double sigma) {
  return 100 * std::exp(sigma * random_normal(seed, 7, static_cast<std::uint64_t>(n)));
}

TEST(OrderStatistics, MedianAndItsError) {
  const std::vector<double> odd{1, 2, 3, 4, 100};
  EXPECT_EQ(median_of_sorted(odd), 3);
  EXPECT_EQ(median_of_sorted(std::vector<double>{1, 2, 3, 4}), 2.5);
  EXPECT_EQ(median_error_of_sorted(std::vector<double>{5}), 0);
  EXPECT_EQ(median_absolute_deviation(odd), 1);
  EXPECT_EQ(sorted_copy(std::vector<double>{3, 1, 2}), (std::vector<double>{1, 2, 3}));
}

// The bracket is one standard error: it covers the true median in about 68 % of the trials.
TEST(OrderStatistics, BracketCoversTheTrueMedianAsOftenAsStated) {
  int covered = 0;
  constexpr int trials = 2000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> values;
    for (int n = 0; n < 100; ++n)
      values.push_back(log_normal(static_cast<std::uint64_t>(trial), n, 0.4));
    const auto ordered = sorted_copy(values);
    // The bracket itself, not centred on the sample median.
    if (ordered[45] <= 100 && 100 <= ordered[54]) ++covered;
    EXPECT_EQ(median_error_of_sorted(ordered), (ordered[54] - ordered[45]) / 2);
  }
  EXPECT_NEAR(covered / static_cast<double>(trials), 0.66, 0.05);
}

TEST(FixedCount, IsExactWhateverTheClockSays) {
  const auto rule = fixed_count_rule(7);
  const auto outcome = drive(
      *rule, [](int) { return 1e6; }, 1e-9);
  EXPECT_EQ(outcome.iterations, 7);
  EXPECT_EQ(outcome.reason, StopReason::fixed_count);
  EXPECT_EQ(rule->floor(), 7);
  EXPECT_EQ(drive(*rule, [](int) { return 1.0; }).iterations, 7) << "start() must reset";
}

TEST(MedianErrorRule, ConstantStreamStopsAtTheFloor) {
  const auto rule = median_error_rule();
  const auto outcome = drive(*rule, [](int) { return 42.0; });
  EXPECT_EQ(outcome.iterations, MedianErrorParameters{}.min_iterations);
  EXPECT_EQ(outcome.reason, StopReason::converged);
}

TEST(MedianErrorRule, NoisierStreamsTakeLongerAndReachTheTarget) {
  int before = 0;
  for (const double sigma : {0.01, 0.1, 0.2}) {
    int total = 0;
    double worst = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto rule = median_error_rule();
      const auto outcome = drive(*rule, [&](int n) { return log_normal(seed, n, sigma); });
      total += outcome.iterations;
      worst = std::max(worst, std::abs(outcome.median / 100 - 1));
    }
    EXPECT_GT(total, before) << sigma;
    // Twenty medians whose standard error is about 1 %: none is off by more than 4 of them.
    EXPECT_LT(worst, 0.04) << sigma;
    before = total;
  }
}

TEST(MedianErrorRule, IndependentNoiseConverges) {
  int converged = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto rule = median_error_rule();
    const auto outcome = drive(*rule, [&](int n) { return log_normal(seed, n, 0.15); });
    converged += outcome.reason == StopReason::converged ? 1 : 0;
  }
  EXPECT_GE(converged, 45);
}

TEST(MedianErrorRule, DriftDoesNotCountAsConverged) {
  const auto rule = median_error_rule();
  // 0.5 % slower with every iteration: the spread is small at first, the halves disagree.
  const auto outcome = drive(*rule, [](int n) { return 100.0 * (1 + 0.005 * n); });
  EXPECT_EQ(outcome.reason, StopReason::never_quiet);
  EXPECT_GE(outcome.iterations, MedianErrorParameters{}.patience);
}

TEST(MedianErrorRule, TwoModesNeverGetQuiet) {
  const auto rule = median_error_rule();
  const auto outcome = drive(*rule, [](int n) { return n % 2 == 0 ? 100.0 : 200.0; });
  EXPECT_EQ(outcome.reason, StopReason::never_quiet);
  EXPECT_LT(outcome.iterations, 4 * MedianErrorParameters{}.patience);
}

TEST(MedianErrorRule, CeilingsHoldButNeverBelowTheFloor) {
  MedianErrorParameters parameters;
  parameters.max_iterations = 50;
  parameters.max_relative_error = 1e-6;
  const auto noisy = [](int n) { return log_normal(3, n, 0.3); };
  auto rule = median_error_rule(parameters);
  auto outcome = drive(*rule, noisy);
  EXPECT_EQ(outcome.reason, StopReason::iteration_ceiling);
  EXPECT_EQ(outcome.iterations, 50);
  outcome = drive(*rule, noisy, 0);
  EXPECT_EQ(outcome.reason, StopReason::time_ceiling);
  EXPECT_EQ(outcome.iterations, parameters.min_iterations);
}

TEST(MedianErrorRule, DescriptionNamesEveryParameter) {
  const std::string text = median_error_rule()->description();
  for (const char* name :
       {"median_error", "min_iterations 10", "max_iterations 2000", "max_relative_error 0.01",
        "max_half_difference 2.5", "min_shrink 0.95", "patience 128", "persistence 4"}) {
    EXPECT_NE(text.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace fabricast
