// IEEE binary16 and bfloat16 as bit patterns, converted with round to nearest even.
//
// Written out on the host, so that it needs no F16C instructions; the device has instructions for
// it (sm_80 and later for bfloat16), which agree bit for bit but in the payload of a NaN. NaN stays
// NaN (made quiet), overflow becomes infinity, subnormals are kept. Pure functions.
// Formats: IEEE 754-2008 table 3.5 (binary16: 5 exponent bits, 10 fraction bits, bias 15);
// bfloat16 is the upper half of a binary32.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/host_device.hpp"

namespace fabricast {

struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

FABRICAST_HOST_DEVICE inline std::uint32_t float_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

FABRICAST_HOST_DEVICE inline float float_from_bits(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// value >> shift, rounded to nearest, ties to even. 1 <= shift <= 31.
FABRICAST_HOST_DEVICE inline std::uint32_t shift_right_to_even(std::uint32_t value, int shift) {
  const std::uint32_t half = 1u << (shift - 1);
  const std::uint32_t odd = (value >> shift) & 1u;
  return (value + half - 1u + odd) >> shift;
}

FABRICAST_HOST_DEVICE inline Half to_half(float value) {
#if defined(__CUDA_ARCH__)
  Half half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
  return half;
#else
  const std::uint32_t bits = float_bits(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  std::uint32_t result = 0;
  if (magnitude > 0x7F800000u) {
    result = 0x7E00u;  // NaN
  } else if (magnitude >= 0x47800000u) {
    result = 0x7C00u;  // >= 65536, or infinity
  } else if (magnitude >= 0x38800000u) {
    // Normal: rebias 127 -> 15. A carry out of the fraction runs into the exponent, and from the
    // largest one into infinity, as it must.
    result = shift_right_to_even(magnitude - (112u << 23), 13);
  } else {
    // Subnormal: fraction with its hidden bit, in units of 2^-24. Below 2^-25 all is zero.
    const int shift = 126 - static_cast<int>(magnitude >> 23);
    if (shift < 25) result = shift_right_to_even((magnitude & 0x7FFFFFu) | 0x800000u, shift);
  }
  return Half{static_cast<std::uint16_t>(sign | result)};
#endif
}

FABRICAST_HOST_DEVICE inline float to_float(Half value) {
#if defined(__CUDA_ARCH__)
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
#else
  const std::uint32_t sign = (value.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = value.bits & 0x3FFu;
  if (exponent == 31u) return float_from_bits(sign | 0x7F800000u | (fraction << 13));
  if (exponent != 0u) return float_from_bits(sign | ((exponent + 112u) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // exact
  return sign != 0u ? -magnitude : magnitude;
#endif
}

FABRICAST_HOST_DEVICE inline BFloat16 to_bfloat16(float value) {
#if defined(__CUDA_ARCH__)
  BFloat16 narrow;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(narrow.bits) : "f"(value));
  return narrow;
#else
  const std::uint32_t bits = float_bits(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
    return BFloat16{static_cast<std::uint16_t>((bits >> 16) | 0x40u)};  // quiet NaN
  }
  const std::uint32_t odd = (bits >> 16) & 1u;
  return BFloat16{static_cast<std::uint16_t>((bits + 0x7FFFu + odd) >> 16)};
#endif
}

FABRICAST_HOST_DEVICE inline float to_float(BFloat16 value) {
  return float_from_bits(static_cast<std::uint32_t>(value.bits) << 16);
}

}  // namespace fabricast
