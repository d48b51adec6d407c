// The statistics that compare rests on: a median with its error, Student's tail, Holm's correction.
//
// Pure functions without randomness, so that a verdict is the same every time. Sources: J. S.
// Maritz and R. G. Jarrett, "A note on estimating the variance of the sample median", JASA 73
// (1978) 194, with the normal approximation of the beta distribution; DLMF 8.17.22 (incomplete beta
// function); S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6
// (1979) 65.
#pragma once

#include <span>
#include <vector>

namespace fabricast {

// The middle value, or the mean of the two middle ones. Expects at least one value.
double median_of(std::vector<double> values);

struct MedianEstimate {
  double median = 0;
  double error = 0;  // one standard error; 0 when all values are equal or there is only one
};
// Distribution-free: the variance that a bootstrap of the median converges to. Two modes give a
// large error when the median lies between them. Expects at least one value. O(n log n).
MedianEstimate estimate_median(std::vector<double> values);

// P(T > t) of Student's distribution. Expects degrees > 0; NaN in, NaN out.
double student_tail(double t, double degrees);

// t with student_tail(t, degrees) == p, for p in (0, 0.5]. By bisection, to 1e-9.
double student_quantile(double p, double degrees);

// Adjusted p values, in the order given: rejecting those <= alpha keeps the chance of any false
// rejection at or below alpha, however the tests depend on each other. NaN counts as 1.
std::vector<double> holm_adjusted(std::span<const double> p);

}  // namespace fabricast
