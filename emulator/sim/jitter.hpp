// Jitter: how much dearer, or cheaper, one step is than its cost says. Factors drawn by inverse CDF.
//
// Every step draws one 64-bit word, a pure function of (seed, member, channel, lane, number of the
// step in its lane): no order of evaluation, process count or engine changes it. The upper half of
// the word gives the factor of the step's lane cost, the lower half that of its message's port and
// latency; credits keep their cost. Factors are 16.16 fixed point from a table that is built once
// (libm only there, rounded to 2^-16), looked up and interpolated in integers: no floating point per
// draw, so Debug and Release agree. Bins are 1/64 of their distance from the nearer end of the
// distribution (like a floating-point number with 6 bits), so both tails are resolved to 2^-32.
// Formulas and what is not modeled: docs/jitter.md. Immutable; thread safe.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

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

class FactorTable {
 public:
  static constexpr int fraction_bits = 16;
  static constexpr std::int64_t one = 1 << fraction_bits;

  explicit FactorTable(const Jitter& jitter);

  // 16.16 fixed point, for 32 uniform bits.
  std::int64_t factor(std::uint32_t bits) const {
    const bool upper = bits >> 31 != 0;
    const std::uint32_t d = (upper ? ~bits : bits) & 0x7fffffffu;  // from the nearer end
    if (spiky_) return upper && d < threshold_ ? spike_ : one;
    const auto& half = halves_[upper];
    if (d < bins) return half[d];
    const int shift = std::bit_width(d) - 1 - bin_bits;
    const std::size_t at =
        (static_cast<std::size_t>(shift + 1) << bin_bits) + ((d >> shift) & (bins - 1));
    const std::int64_t here = half[at];
    const auto rest = static_cast<std::int64_t>(d & ((std::uint32_t{1} << shift) - 1));
    return here + (((half[at + 1] - here) * rest) >> shift);
  }

 private:
  static constexpr int bin_bits = 6;
  static constexpr std::uint32_t bins = 1u << bin_bits;
  // Distances 0 to 63 one by one, then 64 bins per power of two up to 2^31, and its end.
  static constexpr std::size_t entries = bins * (31 - bin_bits + 1) + 1;

  bool spiky_ = false;
  std::uint32_t threshold_ = 0;
  std::int64_t spike_ = one;
  std::array<std::array<std::int64_t, entries>, 2> halves_{};  // [upper half][distance]
};

// ps x factor, to the nearest ps.
inline std::int64_t scaled(std::int64_t ps, std::int64_t factor) {
  __extension__ using Product = __int128;
  constexpr std::int64_t half = FactorTable::one / 2;
  return static_cast<std::int64_t>((Product{ps} * factor + half) >> FactorTable::fraction_bits);
}

// What tells the draws of one evaluation apart.
inline std::uint64_t member_key(std::uint64_t seed, std::int64_t member, std::int32_t channel) {
  return random_bits(seed, static_cast<std::uint64_t>(member), static_cast<std::uint64_t>(channel));
}
// The word of step n of a lane is mix64(step_key(lane, n) ^ member key).
inline std::uint64_t step_key(std::int32_t lane, std::int64_t n) {
  return mix64(mix64(static_cast<std::uint64_t>(lane)) + static_cast<std::uint64_t>(n));
}

}  // namespace fabricast
