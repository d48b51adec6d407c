// Random numbers of one case of a campaign, in the order they are asked for: a pure function of (seed,
// case number), so that a case can be repeated alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t number) : seed_(seed), number_(number) {}
  std::size_t below(std::size_t end) {
    return static_cast<std::size_t>(
        random_int(seed_, number_, next_++, 0, static_cast<std::int64_t>(end) - 1));
  }
  char byte() { return static_cast<char>(random_bits(seed_, number_, next_++) >> 56); }

 private:
  std::uint64_t seed_, number_, next_ = 0;
};

}  // namespace fabricast
