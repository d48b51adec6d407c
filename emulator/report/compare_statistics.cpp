#include "emulator/report/compare_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

double middle_of_sorted(const std::vector<double>& sorted) {
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by the modified
// Lentz method; it converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < 300; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-14) break;
  }
  return fraction;
}

// The regularized incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double median_of(std::vector<double> values) {
  FABRICAST_EXPECT(!values.empty(), "a median needs a value");
  std::sort(values.begin(), values.end());
  return middle_of_sorted(values);
}

MedianEstimate estimate_median(std::vector<double> values) {
  FABRICAST_EXPECT(!values.empty(), "a median needs a value");
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  // The median of n uniform numbers is close to Normal(1/2, 1 / (4 (n + 2))).
  const auto below = [&](double i) { return normal_below((i / n - 0.5) * 2 * std::sqrt(n + 2)); };
  const double center = middle_of_sorted(values);
  double total = 0, mean = 0, square = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double weight = below(static_cast<double>(i) + 1) - below(static_cast<double>(i));
    const double away = values[i] - center;
    total += weight;
    mean += weight * away;
    square += weight * away * away;
  }
  mean /= total;
  return {center, std::sqrt(std::max(0.0, square / total - mean * mean))};
}

double student_tail(double t, double degrees) {
  FABRICAST_EXPECT(degrees > 0, "Student's distribution has positive degrees of freedom");
  if (std::isnan(t)) return t;
  if (std::isinf(t)) return t > 0 ? 0 : 1;
  const double two_sided = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
  return t >= 0 ? two_sided / 2 : 1 - two_sided / 2;
}

double student_quantile(double p, double degrees) {
  FABRICAST_EXPECT(p > 0 && p <= 0.5, "a tail probability up to one half");
  double low = 0, high = 1;
  while (student_tail(high, degrees) > p) high *= 2;
  while (high - low > 1e-9 * (1 + high)) {
    const double middle = (low + high) / 2;
    (student_tail(middle, degrees) > p ? low : high) = middle;
  }
  return high;
}

std::vector<double> holm_adjusted(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](std::size_t i) { return std::isnan(p[i]) ? 1.0 : p[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return value(a) < value(b); });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, static_cast<double>(p.size() - k) * value(order[k]));
    adjusted[order[k]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace fabricast
