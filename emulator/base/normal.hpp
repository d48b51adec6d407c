// The normal distribution's quantile behind every nominal 90 % interval.
#pragma once

namespace fabricast {

// Of a normal variable 90 % lie within so many standard deviations of its mean.
inline constexpr double two_sided_90 = 1.645;

}  // namespace fabricast
