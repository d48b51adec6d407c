// Jitter: how much dearer, or cheaper, one step is than its cost says. Factors drawn by inverse
// CDF.
//
// Every step draws one 64-bit word, a pure function of (seed, member, channel, lane, number of the
// step in its lane): no order of evaluation, process count or engine changes it. The upper half of
// the word gives the factor of the step's lane cost, the lower half that of its message's port and
// latency (factor_table.hpp); credits keep their cost. Formulas and what is not modeled:
// docs/jitter.md. Value types; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

inline constexpr double max_factor = 1e4;  // larger ones are cut there

struct Jitter {
  enum class Kind : std::uint8_t {
    none,
    lognormal,    // exp(a z), z standard normal: median 1
    exponential,  // 1 + a E, E exponential with mean 1
    pareto,       // with probability a, Pareto with exponent b and minimum 1; else 1
    spike,        // with probability a the factor b; else 1
    measured,     // one of `ratios`, interpolated between neighbors
  };
  Kind kind = Kind::none;
  double a = 0, b = 0;
  std::vector<double> ratios{};  // ascending
  std::string text{};            // as /config has it: "lognormal:0.1"

  bool on() const { return kind != Kind::none; }
};

// "lognormal:SIGMA", "exponential:MEAN", "pareto:P:ALPHA", "spike:P:FACTOR". Throws UsageError.
Jitter jitter_from(std::string_view text);
// Values over their median, of which there must be two at least. `name` goes into the text.
Jitter measured_jitter(std::vector<double> ratios, std::string_view name);

// What tells the draws of one evaluation apart.
inline std::uint64_t member_key(std::uint64_t seed, std::int64_t member, std::int32_t channel) {
  return random_bits(seed, static_cast<std::uint64_t>(member), static_cast<std::uint64_t>(channel));
}
// The word of step n of a lane is mix64(step_key(lane, n) ^ member key).
inline std::uint64_t step_key(std::int32_t lane, std::int64_t n) {
  return mix64(mix64(static_cast<std::uint64_t>(lane)) + static_cast<std::uint64_t>(n));
}

}  // namespace fabricast
