// The inverse distribution function of a jitter as a table, and costs times factors: all in
// integers.
//
// Built once (libm only here, rounded to 16.16 fixed point); no floating-point arithmetic per draw,
// so that Debug and Release agree. With d the distance of a 32-bit word from the nearer end of the
// distribution, 2d + 1 is looked up by its power of two and 6 bits behind the first, like a
// floating-point number, and interpolated with 16 bits: both tails are resolved to 2^-32.
// Branch-free, so that compilers vectorize it. Immutable; thread safe. 17 KB.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "emulator/sim/jitter.hpp"

namespace fabricast {

class FactorTable {
 public:
  static constexpr int fraction_bits = 16;
  static constexpr std::int64_t one = 1 << fraction_bits;

  explicit FactorTable(const Jitter& jitter);

  // 16.16 fixed point, for the low 32 bits of `bits`, which are uniform; nothing above them.
  std::int64_t factor(std::uint64_t bits) const {
    const std::uint64_t upper = bits >> 31;
    const std::uint64_t distance = (bits ^ (0 - upper)) & 0x7fffffffu;
    // Exact: an integer below 2^32. Its exponent and leading bits are the bin, the next the place
    // in it.
    const auto scale = std::bit_cast<std::uint64_t>(
        static_cast<double>(static_cast<std::int64_t>(2 * distance + 1)));
    const std::uint64_t at = (scale >> (52 - bin_bits)) - first_bin + upper * half_entries;
    const auto place = static_cast<std::int64_t>(scale >> (52 - bin_bits - 16) & 0xffff);
    const std::int64_t here = entries_[at];
    const std::int64_t there = entries_[at + 1];
    const std::int64_t drawn = here + (((there - here) * place) >> 16);
    return bits >= spike_from_ ? spike_ : drawn;
  }

 private:
  static constexpr int bin_bits = 6;
  static constexpr std::uint64_t first_bin = std::uint64_t{1023} << bin_bits;
  // 64 bins for each power of two that 2d + 1 can have, and the end of the last.
  static constexpr std::size_t half_entries = (std::size_t{32} << bin_bits) + 1;

  std::uint64_t spike_from_ = std::uint64_t{1} << 32;  // words from here on are spikes
  std::int64_t spike_ = one;
  std::array<std::int32_t, 2 * half_entries> entries_{};  // [upper half][bin]
};

// ps x factor to the nearest ps, without overflow for up to 2^48 ps (281 s) and factors below 2^30.
constexpr std::int64_t scaled(std::int64_t ps, std::int64_t factor) {
  constexpr std::int64_t low = FactorTable::one - 1;
  return (ps >> FactorTable::fraction_bits) * factor +
         (((ps & low) * factor + FactorTable::one / 2) >> FactorTable::fraction_bits);
}

}  // namespace fabricast
