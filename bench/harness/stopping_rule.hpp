// When to stop timing one condition: a strategy object with named parameters.
//
// The harness feeds every sample to add() and asks verdict() after each. Two rules exist:
//   fixed_count    exactly n iterations (nccl-tests -n), whatever the clock says;
//   median_error   at least the floor, then until the median is known well enough, the samples show
//                  that more of them will not help, or a ceiling is reached.
// Not thread safe. add() is amortized O(1); a verdict that has to look at the samples is O(n log n)
// and happens O(log n) times.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fabricast {

enum class StopReason : std::uint8_t {
  fixed_count,  // as many iterations as were asked for
  converged,    // the median's relative standard error is small and its halves agree
  never_quiet,  // four times the samples do not make the median better known
  time_ceiling,
  iteration_ceiling,
};
std::string_view to_string(StopReason reason);

struct MedianErrorParameters {
  int min_iterations = 10;           // floor: never fewer
  int max_iterations = 2000;         // ceiling
  double max_relative_error = 0.01;  // standard error of the median / median: good enough
  // The medians of the first and the second half may differ by this many of their own standard
  // errors, or by twice the error above if that is more; otherwise the machine is drifting.
  double max_half_difference = 2.5;
  // A machine that never gets quiet: independent noise halves the error when the samples are
  // quadrupled. If, after at least `patience` samples, it is still above this fraction in so many
  // consecutive looks, the disturbance is not noise that averages out (two modes, a drift) and
  // waiting is pointless. One look would not do: the error is itself estimated to some 30 %.
  double min_shrink = 0.95;
  int patience = 128;
  int persistence = 4;
};

class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  // Forgets everything: a new condition begins.
  virtual void start() = 0;
  virtual void add(double value) = 0;
  // Empty: go on. `elapsed` and `ceiling` are seconds spent and allowed on this condition.
  virtual std::optional<StopReason> verdict(double elapsed, double ceiling) = 0;
  // Iterations that are made in any case.
  virtual int floor() const = 0;
  // Name and every parameter, for the record.
  virtual std::string description() const = 0;
};

std::unique_ptr<StoppingRule> fixed_count_rule(int iterations);
std::unique_ptr<StoppingRule> median_error_rule(const MedianErrorParameters& parameters = {});

}  // namespace fabricast
