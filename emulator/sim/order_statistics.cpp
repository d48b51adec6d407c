#include "emulator/sim/order_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

constexpr double outside = 0.05;  // on either side

}  // namespace

SampleQuantile sample_quantile(std::span<const std::int64_t> ascending, double p) {
  FABRICAST_EXPECT(!ascending.empty() && p > 0 && p < 1, "a sample and a quantile inside it");
  const auto count = ascending.size();
  const auto m = static_cast<double>(count);
  SampleQuantile result;
  const auto rank = static_cast<std::size_t>(std::ceil(p * m - 1e-9));
  result.value = ascending[std::clamp<std::size_t>(rank, 1, count) - 1];
  double below = 0;  // P(B <= i)
  for (std::size_t i = 0; i <= count; ++i) {
    const auto at = static_cast<double>(i);
    below += std::exp(std::lgamma(m + 1) - std::lgamma(at + 1) - std::lgamma(m - at + 1) +
                      at * std::log(p) + (m - at) * std::log1p(-p));
    // x_(i+1) is a lower bound if at most 5 % lie at B <= i, an upper bound if 95 % do.
    if (i < count && below <= outside) result.low = ascending[i];
    if (i < count && below >= 1 - outside) {
      result.high = ascending[i];
      break;
    }
  }
  return result;
}

}  // namespace fabricast
