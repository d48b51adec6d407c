// The two kinds of values a schedule is run on: fingerprints, and sets that people can read.
//
// Both are commutative monoids with one generator per (loop, rank, input chunk), so that a sum says
// exactly which contributions it holds, and how often.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

// A random 64-bit word per contribution, wrapping addition: equal sums mean equal multisets up to
// a chance of about 2^-64.
struct Fingerprint {
  std::uint64_t word = 0;

  static Fingerprint of_input(std::int32_t loop, std::int32_t rank, std::int32_t chunk) {
    return {random_bits(static_cast<std::uint64_t>(loop), static_cast<std::uint64_t>(rank),
                        static_cast<std::uint64_t>(chunk))};
  }
  static Fingerprint of_garbage(std::int32_t rank, std::int64_t slot) {
    return {random_bits(~std::uint64_t{0}, static_cast<std::uint64_t>(rank),
                        static_cast<std::uint64_t>(slot))};
  }
  void add(const Fingerprint& other) { word += other.word; }
  bool operator==(const Fingerprint&) const = default;
};

// How often each contribution is in a value; rank -1: the content of memory before the run.
struct Contributions {
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::int32_t> count;

  static Contributions of_input(std::int32_t loop, std::int32_t rank, std::int32_t chunk) {
    return {{{{loop, rank, chunk}, 1}}};
  }
  static Contributions of_garbage(std::int32_t, std::int64_t) { return {{{{0, -1, -1}, 1}}}; }
  void add(const Contributions& other) {
    for (const auto& [key, times] : other.count) count[key] += times;
  }
  bool operator==(const Contributions&) const = default;
};

// "lacks rank 2 chunk 5, has rank 7 chunk 5 twice": what `found` has too much and too little.
std::string difference(const Contributions& found, const Contributions& wanted);

}  // namespace fabricast
