#include "emulator/sim/jitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr double max_factor = 1e4;

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

double number_of(std::string_view text, std::string_view whole) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw UsageError(fmt::format("--jitter {}: \"{}\" is not a number", whole, text));
  }
  return value;
}

void expect_range(bool inside, std::string_view whole, std::string_view rule) {
  if (!inside) throw UsageError(fmt::format("--jitter {}: {}", whole, rule));
}

}  // namespace

Jitter jitter_from(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  Jitter jitter;
  jitter.text = std::string(text);
  const auto is = [&](std::string_view name, std::size_t numbers) {
    if (parts.front() != name || parts.size() != numbers + 1) return false;
    jitter.a = number_of(parts[1], text);
    if (numbers > 1) jitter.b = number_of(parts[2], text);
    return true;
  };
  const auto probability = [&] {
    expect_range(jitter.a > 0 && jitter.a <= 0.5, text, "the probability is above 0, at most 0.5");
  };
  if (is("lognormal", 1)) {
    jitter.kind = Jitter::Kind::lognormal;
    expect_range(jitter.a > 0 && jitter.a <= 1, text, "sigma is above 0, at most 1");
  } else if (is("exponential", 1)) {
    jitter.kind = Jitter::Kind::exponential;
    expect_range(jitter.a > 0 && jitter.a <= 100, text, "the mean is above 0, at most 100");
  } else if (is("pareto", 2)) {
    jitter.kind = Jitter::Kind::pareto;
    probability();
    expect_range(jitter.b >= 1 && jitter.b <= 100, text, "the exponent is from 1 to 100");
  } else if (is("spike", 2)) {
    jitter.kind = Jitter::Kind::spike;
    probability();
    expect_range(jitter.b > 0 && jitter.b <= max_factor, text, "the factor is above 0, at most 10000");
  } else {
    throw UsageError(
        fmt::format("--jitter {}: unknown distribution (or its numbers are missing); use "
                    "lognormal:SIGMA, exponential:MEAN, pareto:P:ALPHA, spike:P:FACTOR or "
                    "measured:TRACE",
                    text));
  }
  return jitter;
}

Jitter measured_jitter(std::vector<double> ratios, std::string_view name) {
  FABRICAST_EXPECT(ratios.size() >= 2, "two ratios at least");
  std::sort(ratios.begin(), ratios.end());
  Jitter jitter;
  jitter.kind = Jitter::Kind::measured;
  jitter.ratios = std::move(ratios);
  jitter.text = fmt::format("measured:{}", name);
  return jitter;
}

FactorTable::FactorTable(const Jitter& jitter) {
  constexpr double range = 4294967296.0;  // 2^32 words
  const auto fixed = [](double factor) {
    return static_cast<std::int64_t>(std::llround(std::min(factor, max_factor) * double{one}));
  };
  spiky_ = jitter.kind == Jitter::Kind::spike;
  if (spiky_) {
    threshold_ = static_cast<std::uint32_t>(std::llround(std::min(jitter.a * range, range / 2)));
    spike_ = fixed(jitter.b);
    return;
  }
  for (const bool upper : {false, true}) {
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t power = i < bins ? 0 : (i >> bin_bits) - 1;
      const std::size_t distance = i < bins ? i : (bins + (i & (bins - 1))) << power;
      // Word 0 stands for the middle of its own width: no quantile of probability 0 is asked for.
      const double p = std::max(static_cast<double>(distance), 0.5) / range;
      halves_[upper][i] = fixed(quantile(jitter, upper, p));
    }
  }
}

}  // namespace fabricast
