// Which rank sits at which position of one channel's schedule: a bijection in closed form.
//
//   at              = (position + shift) mod p
//   domain(position) = (at / l + domain_shift) mod domains,   l = ranks per domain
//   local(position)  = order[at mod l], or order reversed on odd domains when swap_odd
// The order is a rotation, or any other where the links between members ask for it.
//
// NCCL's per-channel GPU orders and odd-node swaps live here, not in the maps (nccl.md 1.2): with
// swap_odd, a chain that leaves an even domain through its last GPU enters the odd one through the
// same-numbered GPU, so every hop between domains stays on one rail.
// Immutable value type; O(1) per query; O(l) memory.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/base/rank_space.hpp"

namespace fabricast {

class Placement {
 public:
  // Position i of a domain holds local rank (start + i) mod l, reversed on odd domains if swap_odd.
  static Placement rotated(const RankSpace& space, std::int32_t start, bool swap_odd,
                           std::int32_t domain_shift = 0);
  // Position i of a domain holds local rank order[i].
  static Placement ordered(const RankSpace& space, std::vector<std::int32_t> order, bool swap_odd);
  // Position d1 + domains * d0 holds local rank d0 of domain d1; the space has the domains first.
  static Placement transposed(const RankSpace& ranks);
  static Placement identity(const RankSpace& space) { return rotated(space, 0, false); }

  // The same ring, counted from another rank on: position 0 holds `rank`. The domain of `rank` is
  // then left in mid-order and entered again at the end.
  Placement starting_at(std::int32_t rank) const;

  std::int32_t rank_at(std::int32_t position) const;
  std::int32_t position_of(std::int32_t rank) const;
  const RankSpace& space() const { return space_; }
  bool operator==(const Placement&) const = default;

 private:
  std::int32_t from_first(std::int32_t at) const;  // the position of place `at` of the ring

  RankSpace space_;
  std::vector<std::int32_t> order_;    // local index at slot i of an even domain
  std::vector<std::int32_t> slot_of_;  // inverse of order_
  bool swap_odd_ = false;
  std::int32_t domain_shift_ = 0;
  std::int32_t shift_ = 0;
  bool transposed_ = false;
};

}  // namespace fabricast
