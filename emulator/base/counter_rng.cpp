#include "emulator/base/counter_rng.hpp"

#include <cmath>
#include <numbers>

namespace fabricast {

double random_normal(std::uint64_t seed, std::uint64_t entity, std::uint64_t index) {
  const double u = 1.0 - random_uniform(seed, entity, 2 * index);  // (0, 1]: log is finite
  const double v = random_uniform(seed, entity, 2 * index + 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace fabricast
