#include "bench/harness/order_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "emulator/base/contracts.hpp"

namespace fabricast {

std::vector<double> sorted_copy(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  std::sort(copy.begin(), copy.end());
  return copy;
}

double median_of_sorted(std::span<const double> values) {
  FABRICAST_EXPECT(!values.empty(), "a median needs at least one value");
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double median_error_of_sorted(std::span<const double> values) {
  FABRICAST_EXPECT(!values.empty(), "a median needs at least one value");
  const auto n = static_cast<double>(values.size());
  const auto low = static_cast<std::size_t>((n - std::sqrt(n)) / 2);
  const std::size_t high = values.size() - 1 - low;
  return (values[high] - values[low]) / 2;
}

double median_absolute_deviation(std::span<const double> sorted_values) {
  const double median = median_of_sorted(sorted_values);
  std::vector<double> distance(sorted_values.size());
  std::transform(sorted_values.begin(), sorted_values.end(), distance.begin(),
                 [&](double value) { return std::abs(value - median); });
  std::sort(distance.begin(), distance.end());
  return median_of_sorted(distance);
}

}  // namespace fabricast
