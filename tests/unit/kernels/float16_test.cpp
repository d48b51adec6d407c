#include "kernels/float16.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fabricast {
namespace {

// The value of a binary16 pattern from the definition, in double: independent of the code under
// test.
double value_of_half(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31u);
  const double fraction = static_cast<double>(bits & 1023u);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
  return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

// The finite positive pattern nearest to x >= 0, ties to the even one; infinity from the midpoint
// on.
std::uint16_t nearest_half(double x) {
  std::uint32_t low = 0, high = 0x7BFFu;  // patterns of non-negative finite values ascend
  if (x >= 65520.0) return 0x7C00u;       // midpoint of the largest value and 2^16
  while (low < high) {
    const std::uint32_t middle = (low + high + 1) / 2;
    (value_of_half(middle) <= x ? low : high) = value_of_half(middle) <= x ? middle : middle - 1;
  }
  if (low == 0x7BFFu) return static_cast<std::uint16_t>(low);
  const double below = x - value_of_half(low);
  const double above = value_of_half(low + 1) - x;
  const bool up = above < below || (above == below && (low & 1u) != 0);
  return static_cast<std::uint16_t>(low + (up ? 1u : 0u));
}

TEST(Half, EveryPatternRoundTrips) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = to_float(Half{static_cast<std::uint16_t>(bits)});
    if ((bits & 0x7C00u) == 0x7C00u && (bits & 0x3FFu) != 0) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(to_float(to_half(value)))) << bits;
    } else {
      ASSERT_EQ(to_half(value).bits, bits);
    }
  }
}

TEST(Half, EveryFinitePatternHasItsDefinedValue) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    if ((bits & 0x7C00u) == 0x7C00u) continue;
    ASSERT_EQ(static_cast<double>(to_float(Half{static_cast<std::uint16_t>(bits)})),
              value_of_half(bits));
  }
}

TEST(Half, MidpointsRoundToEvenAndNeighboursToTheNearest) {
  for (std::uint32_t bits = 0; bits < 0x7BFFu; ++bits) {
    const float middle = static_cast<float>((value_of_half(bits) + value_of_half(bits + 1)) / 2);
    const std::uint32_t even = (bits & 1u) != 0 ? bits + 1 : bits;
    ASSERT_EQ(to_half(middle).bits, even);
    ASSERT_EQ(to_half(std::nextafterf(middle, 0.0f)).bits, bits);
    ASSERT_EQ(to_half(std::nextafterf(middle, 1e9f)).bits, bits + 1);
  }
}

TEST(Half, AnyFloatGoesToTheNearest) {
  for (std::uint64_t i = 0; i < 300'000; ++i) {
    // Every bit pattern is a float; stride through them with an odd step.
    const auto bits = static_cast<std::uint32_t>(i * 2'654'435'761u) & 0x7FFFFFFFu;
    const float value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(to_half(value).bits, nearest_half(value)) << value;
    ASSERT_EQ(to_half(-value).bits, nearest_half(value) | 0x8000u) << value;
  }
}

TEST(Half, SpecialValues) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_half(infinity).bits, 0x7C00u);
  EXPECT_EQ(to_half(-infinity).bits, 0xFC00u);
  EXPECT_EQ(to_half(65504.0f).bits, 0x7BFFu);
  EXPECT_EQ(to_half(65519.99f).bits, 0x7BFFu);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7C00u);
  EXPECT_EQ(to_half(-0.0f).bits, 0x8000u);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0u);  // tie between 0 and the least subnormal
  EXPECT_EQ(to_half(0x1.000002p-25f).bits, 1u);
  EXPECT_EQ(to_half(1.0f).bits, 0x3C00u);
}

TEST(BFloat16, IsTheUpperHalfOfAFloat) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = to_float(BFloat16{static_cast<std::uint16_t>(bits)});
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(to_float(to_bfloat16(value))));
    } else {
      ASSERT_EQ(to_bfloat16(value).bits, bits);
    }
  }
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808000u)).bits, 0x3F80u);  // tie, even below
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F818000u)).bits, 0x3F82u);  // tie, even above
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808001u)).bits, 0x3F81u);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F807FFFu)).bits, 0x3F80u);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80u);  // to infinity
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::infinity()).bits, 0x7F80u);
}

}  // namespace
}  // namespace fabricast
