// The inverse distribution function of a jitter as a table, and costs times factors: all in
// integers.
//
// Built once (libm only here, rounded to 16.16 fixed point); no floating-point arithmetic per draw,
// so that Debug and Release agree. With d the distance of a 32-bit word from the nearer end of the
// distribution, 2d + 1 is looked up by its power of two and 6 bits behind the first, like a
// floating-point number, and interpolated with 16 bits: both tails are resolved to 2^-32.
// Branch-free, so that compilers vectorize it. Immutable; thread safe. 32 KB, of which draws of the
// middle use a few hundred bytes.
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
    // 2d + 1 as a floating-point number: its exponent and leading bits are the bin, the next the
    // place in it. Exact: an integer below 2^32, put into the last bits of 2^52, less 2^52. (AVX2
    // has no instruction for it.)
    const double floating =
        std::bit_cast<double>((2 * distance + 1) | std::bit_cast<std::uint64_t>(0x1p52)) - 0x1p52;
    const auto scale = std::bit_cast<std::uint64_t>(floating);
    const Bin& bin = bins_[(scale >> (52 - bin_bits)) - first_bin + upper * half_bins];
    const auto place = static_cast<std::int64_t>(scale >> (52 - bin_bits - 16) & 0xffff);
    const std::int64_t drawn = bin.from + ((bin.rise * place) >> 16);
    return bits >= spike_from_ ? spike_ : drawn;
  }

 private:
  static constexpr int bin_bits = 6;
  static constexpr std::uint64_t first_bin = std::uint64_t{1023} << bin_bits;
  // 64 bins for each power of two that 2d + 1 can have.
  static constexpr std::size_t half_bins = std::size_t{32} << bin_bits;
  struct Bin {
    std::int32_t from = 0, rise = 0;  // at its beginning, and to its end
  };

  std::uint64_t spike_from_ = std::uint64_t{1} << 32;  // words from here on are spikes
  std::int64_t spike_ = one;
  std::array<Bin, 2 * half_bins> bins_{};  // [upper half][bin]
};

// Whether scaled_word may be taken.
constexpr bool is_word(std::int64_t ps) { return (ps >> 32) == 0; }
// scaled() below with one multiplication, of 32 by 32 bits.
constexpr std::int64_t scaled_word(std::uint32_t ps, std::uint32_t factor) {
  constexpr std::uint64_t half = std::uint64_t{FactorTable::one} / 2;
  return static_cast<std::int64_t>((std::uint64_t{ps} * factor + half) >>
                                   FactorTable::fraction_bits);
}

// ps x factor to the nearest ps, without overflow for up to 2^48 ps (281 s) and factors below 2^30.
constexpr std::int64_t scaled(std::int64_t ps, std::int64_t factor) {
  constexpr std::int64_t low = FactorTable::one - 1;
  return (ps >> FactorTable::fraction_bits) * factor +
         (((ps & low) * factor + FactorTable::one / 2) >> FactorTable::fraction_bits);
}

}  // namespace fabricast
