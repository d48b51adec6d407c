// Quantiles of a sample with distribution-free confidence intervals from its order statistics.
//
// Of M independent values the p-quantile q is estimated by the ceil(p M)-th smallest. The number of
// values below q is binomial(M, p), so that x_(l) <= q holds with probability 1 - P(B < l) and
// q <= x_(u) with 1 - P(B >= u): the interval has 5 % on either side, whatever the distribution
// (H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, 2003, section 7.1). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace fabricast {

struct SampleQuantile {
  std::int64_t value = 0;
  // Nothing where so few values do not bound it on that side.
  std::optional<std::int64_t> low, high;
};

// `ascending` is not empty; p in (0, 1). O(M).
SampleQuantile sample_quantile(std::span<const std::int64_t> ascending, double p);

}  // namespace fabricast
