// The shift maps of uniform phases in one normal form: digit' = (digit + shift) mod radix.
//
// Normal form: 0 <= shift < radix; the identity is the linear shift by 0; a shift of the topmost
// digit is a linear one. Then different maps of one digit share no connection, and maps of
// different digits share one only if `coincide` says so. Value type, O(1).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/row_kernels.hpp"

namespace fabricast {

struct ShiftMap {
  std::int32_t weight = 1;
  std::int32_t radix = 1;
  std::int32_t shift = 0;
  auto operator<=>(const ShiftMap&) const = default;

  std::int32_t operator()(std::int32_t x) const {
    const std::int32_t digit = x / weight % radix;
    const std::int32_t moved = digit + shift < radix ? digit + shift : digit + shift - radix;
    return x + (moved - digit) * weight;
  }
};

// `map` must be linear or digit. The second form is the inverse: the map of the senders to x, as
// seen from the sender, when x receives from `map`.
ShiftMap shift_map(const PeerMap& map, const RankSpace& space, std::int32_t k);
ShiftMap inverse(const ShiftMap& map, std::int32_t positions);

// Do two different maps in normal form send x to the same place for some x?
bool coincide(const ShiftMap& a, const ShiftMap& b, std::int32_t positions);

// Ranges of positions over which both distances are constant; `in` maps a position to its sender,
// `out` to its receiver. O(number of ranges).
void build_runs(const ShiftMap& in, const ShiftMap& out, std::int32_t positions,
                std::vector<ColumnRun>& runs);
// The same from explicit columns.
void build_runs(const std::vector<std::int32_t>& in, const std::vector<std::int32_t>& out,
                std::vector<ColumnRun>& runs);

}  // namespace fabricast
