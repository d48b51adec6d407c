// Costs that repeat along the positions, as those of a machine of equal groups do.
//
// Engines ask for the period where they fold: rows are then filled for one period only, whatever
// the number of positions. Immutable; thread safe.
#pragma once

#include <cstdint>

namespace fabricast {

class PeriodicCosts {
 public:
  virtual ~PeriodicCosts() = default;
  // A divisor P of the number of positions with equal costs at x and x + P, cyclically, in every
  // phase that does not vary; the number of positions if there is none smaller, 0 if it is not
  // known.
  virtual std::int32_t cost_period() const = 0;
};

}  // namespace fabricast
