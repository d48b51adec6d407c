#include "bench/harness/disturbance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/harness/order_statistics.hpp"

namespace fabricast {
namespace {

constexpr std::size_t min_values = 5;
// Standard deviation of a normal distribution over its MAD: 1 / quantile(3/4).
constexpr double sigma_over_mad = 1.4826;

}  // namespace

std::string DisturbanceRule::description() const {
  return fmt::format(
      "above {} x the median and {} robust standard deviations, unless more than {} % would go",
      factor, sigmas, 100 * max_share);
}

std::vector<bool> disturbed(std::span<const double> values, const DisturbanceRule& rule) {
  std::vector<bool> flags(values.size(), false);
  if (values.size() < min_values) return flags;
  const auto ordered = sorted_copy(values);
  const double median = median_of_sorted(ordered);
  const double deviation = sigma_over_mad * median_absolute_deviation(ordered);
  const double fence = std::max(rule.factor * median, median + rule.sigmas * deviation);
  const auto above = ordered.end() - std::upper_bound(ordered.begin(), ordered.end(), fence);
  const double share = static_cast<double>(above) / static_cast<double>(values.size());
  if (above == 0 || share > rule.max_share) return flags;
  std::transform(values.begin(), values.end(), flags.begin(),
                 [&](double value) { return value > fence; });
  return flags;
}

}  // namespace fabricast
