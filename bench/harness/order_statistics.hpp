// Median and its standard error from order statistics: no assumption about the distribution.
//
// Times of a collective are skewed, quantized by the clock and full of rare large values, so means
// and variances mislead. The number of n values below the true median is Binomial(n, 1/2), hence
// the order statistics n/2 -+ sqrt(n)/2 bracket it with about 68 % probability (David, Nagaraja:
// Order Statistics, 3rd ed., 7.1); half the bracket is one standard error.
// Pure functions; O(n log n) in the number of values.
#pragma once

#include <span>
#include <vector>

namespace fabricast {

// Sorted copy; everything below takes sorted values.
std::vector<double> sorted_copy(std::span<const double> values);

// The middle value, or the mean of the two middle ones. Expects at least one value.
double median_of_sorted(std::span<const double> values);

// One standard error of the median. Expects at least one value; 0 for a single one.
double median_error_of_sorted(std::span<const double> values);

// Median of |value - median|. Expects at least one value.
double median_absolute_deviation(std::span<const double> sorted_values);

}  // namespace fabricast
