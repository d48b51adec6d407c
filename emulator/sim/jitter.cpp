#include "emulator/sim/jitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

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
    expect_range(jitter.b > 0 && jitter.b <= max_factor, text,
                 "the factor is above 0, at most 10000");
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

}  // namespace fabricast
