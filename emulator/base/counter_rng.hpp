// Counter-based random numbers: value(seed, entity, index) is a pure function.
//
// Results do not depend on order, process count or threads. Mixing is SplitMix64's finaliser
// (Steele, Lea, Flood 2014) applied to the three keys in turn. Not for cryptography.
#pragma once

#include <cstdint>

namespace fabricast {

constexpr std::uint64_t mix64(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t entity, std::uint64_t index) {
  return mix64(mix64(mix64(seed) ^ entity) ^ index);
}

// Uniform in [0, 1), 53 bits.
constexpr double random_uniform(std::uint64_t seed, std::uint64_t entity, std::uint64_t index) {
  return static_cast<double>(random_bits(seed, entity, index) >> 11) * 0x1.0p-53;
}

// Uniform integer in [low, high], by rejection-free multiply (bias below 2^-32 for small ranges).
constexpr std::int64_t random_int(std::uint64_t seed, std::uint64_t entity, std::uint64_t index,
                                  std::int64_t low, std::int64_t high) {
  const auto span = static_cast<std::uint64_t>(high - low) + 1;
  const auto bits = random_bits(seed, entity, index) >> 32;
  return low + static_cast<std::int64_t>((bits * span) >> 32);
}

// Standard normal, by Box-Muller from two uniforms of the same key.
double random_normal(std::uint64_t seed, std::uint64_t entity, std::uint64_t index);

}  // namespace fabricast
