#include "emulator/sim/factor_table.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fabricast {
namespace {

// The z with P(Z > z) = p, by bisection on erfc; p in (0, 1/2].
double normal_upper_quantile(double p) {
  double low = 0, high = 10;
  for (int i = 0; i < 80; ++i) {
    const double z = (low + high) / 2;
    (std::erfc(z / std::numbers::sqrt2) / 2 > p ? low : high) = z;
  }
  return (low + high) / 2;
}

// Between neighbors; `position` in [0, 1].
double interpolated(const std::vector<double>& ratios, double position) {
  const double at = position * static_cast<double>(ratios.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), ratios.size() - 2);
  const double part = at - static_cast<double>(below);
  return ratios[below] + part * (ratios[below + 1] - ratios[below]);
}

// The factor that is exceeded (upper), or not reached, with probability p <= 1/2.
double quantile(const Jitter& jitter, bool upper, double p) {
  switch (jitter.kind) {
    case Jitter::Kind::lognormal:
      return std::exp((upper ? 1 : -1) * jitter.a * normal_upper_quantile(p));
    case Jitter::Kind::exponential:
      return 1 - jitter.a * (upper ? std::log(p) : std::log1p(-p));
    case Jitter::Kind::pareto: {
      const double exceeded = upper ? p : 1 - p;
      return exceeded < jitter.a ? std::pow(jitter.a / exceeded, 1 / jitter.b) : 1;
    }
    case Jitter::Kind::measured:
      return interpolated(jitter.ratios, upper ? 1 - p : p);
    case Jitter::Kind::none:
    case Jitter::Kind::spike:
      break;
  }
  return 1;
}

std::int64_t fixed(double factor) {
  return std::llround(std::min(factor, max_factor) * double{FactorTable::one});
}

}  // namespace

FactorTable::FactorTable(const Jitter& jitter) {
  constexpr double words = 4294967296.0;  // 2^32
  if (jitter.kind == Jitter::Kind::spike) {
    bins_.fill({static_cast<std::int32_t>(one), 0});
    spike_from_ -= static_cast<std::uint64_t>(std::llround(jitter.a * words));
    spike_ = fixed(jitter.b);
    return;
  }
  for (const bool upper : {false, true}) {
    std::int32_t before = 0;
    for (std::size_t i = 0; i <= half_bins; ++i) {
      // 2d + 1 at the beginning of the bin; half a word at least, so no quantile of 0 is asked for.
      const double twice = std::ldexp(1 + std::ldexp(static_cast<double>(i & 63), -bin_bits),
                                      static_cast<int>(i >> bin_bits));
      const double p = std::min(twice / 2 / words, 0.5);
      const auto here = static_cast<std::int32_t>(fixed(quantile(jitter, upper, p)));
      if (i < half_bins) bins_[i + upper * half_bins].from = here;
      if (i > 0) bins_[i - 1 + upper * half_bins].rise = here - before;
      before = here;
    }
  }
}

}  // namespace fabricast
