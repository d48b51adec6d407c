#include "bench/harness/stopping_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "bench/harness/order_statistics.hpp"
#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

class FixedCount final : public StoppingRule {
 public:
  explicit FixedCount(int iterations) : iterations_(iterations) {
    FABRICAST_EXPECT(iterations >= 1, "at least one iteration");
  }
  void start() override { done_ = 0; }
  void add(double) override { ++done_; }
  std::optional<StopReason> verdict(double, double) override {
    if (done_ < iterations_) return std::nullopt;
    return StopReason::fixed_count;
  }
  int floor() const override { return iterations_; }
  std::string description() const override {
    return fmt::format("fixed_count: iterations {}", iterations_);
  }

 private:
  int iterations_;
  int done_ = 0;
};

class MedianError final : public StoppingRule {
 public:
  explicit MedianError(const MedianErrorParameters& parameters) : parameters_(parameters) {
    FABRICAST_EXPECT(parameters.min_iterations >= 1, "at least one iteration");
    FABRICAST_EXPECT(parameters.max_iterations >= parameters.min_iterations, "ceiling below floor");
    start();
  }

  void start() override {
    values_.clear();
    looks_.clear();
    stuck_ = 0;
    next_look_ = parameters_.min_iterations;
  }

  void add(double value) override { values_.push_back(value); }

  std::optional<StopReason> verdict(double elapsed, double ceiling) override {
    const int n = static_cast<int>(values_.size());
    if (n < parameters_.min_iterations) return std::nullopt;
    if (n >= next_look_) {
      next_look_ = n + std::max(1, n / 8);  // looks grow geometrically: O(log n) of them
      if (const auto reason = look(n)) return reason;
    }
    if (n >= parameters_.max_iterations) return StopReason::iteration_ceiling;
    if (elapsed >= ceiling) return StopReason::time_ceiling;
    return std::nullopt;
  }

  int floor() const override { return parameters_.min_iterations; }

  std::string description() const override {
    return fmt::format(
        "median_error: min_iterations {}, max_iterations {}, max_relative_error {}, "
        "max_half_difference {}, min_shrink {}, patience {}, "
        "persistence {}",
        parameters_.min_iterations, parameters_.max_iterations, parameters_.max_relative_error,
        parameters_.max_half_difference, parameters_.min_shrink, parameters_.patience,
        parameters_.persistence);
  }

 private:
  struct Look {
    int count;
    double relative_error;
  };

  std::optional<StopReason> look(int n) {
    const auto ordered = sorted_copy(values_);
    const double median = median_of_sorted(ordered);
    const double error = median_error_of_sorted(ordered);
    const double relative = median > 0 ? error / median : 0;
    if (relative <= parameters_.max_relative_error && steady(median)) return StopReason::converged;
    looks_.push_back({n, relative});
    stuck_ = n >= parameters_.patience && !shrinking() ? stuck_ + 1 : 0;
    if (stuck_ >= parameters_.persistence) return StopReason::never_quiet;
    return std::nullopt;
  }

  // Do the two halves, in the order of time, tell of the same median?
  bool steady(double median) const {
    const std::size_t half = values_.size() / 2;
    if (half == 0) return true;
    const std::span<const double> all(values_);
    const auto early = sorted_copy(all.first(half));
    const auto late = sorted_copy(all.last(half));
    const double difference = std::abs(median_of_sorted(early) - median_of_sorted(late));
    const double error = std::hypot(median_error_of_sorted(early), median_error_of_sorted(late));
    return difference <= std::max(parameters_.max_half_difference * error,
                                  2 * parameters_.max_relative_error * median);
  }

  // Compares with the last look at a quarter of the samples.
  bool shrinking() const {
    const Look& now = looks_.back();
    const Look* then = nullptr;
    for (const Look& look : looks_) {
      if (look.count * 4 <= now.count) then = &look;
    }
    return then == nullptr || now.relative_error <= parameters_.min_shrink * then->relative_error;
  }

  MedianErrorParameters parameters_;
  std::vector<double> values_;
  std::vector<Look> looks_;
  int next_look_ = 0;
  int stuck_ = 0;  // consecutive looks without progress
};

}  // namespace

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::fixed_count:
      return "fixed_count";
    case StopReason::converged:
      return "converged";
    case StopReason::never_quiet:
      return "never_quiet";
    case StopReason::time_ceiling:
      return "time_ceiling";
    case StopReason::iteration_ceiling:
      return "iteration_ceiling";
  }
  return "unknown";
}

std::unique_ptr<StoppingRule> fixed_count_rule(int iterations) {
  return std::make_unique<FixedCount>(iterations);
}

std::unique_ptr<StoppingRule> median_error_rule(const MedianErrorParameters& parameters) {
  return std::make_unique<MedianError>(parameters);
}

}  // namespace fabricast
