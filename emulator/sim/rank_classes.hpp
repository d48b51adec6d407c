// Classes of positions that behave identically, found by partition refinement.
//
// Two positions are in one class when all their costs are equal and, through every map of the
// schedule, forwards and backwards, their neighbours are in one class again. Clocks are then equal
// by induction over the steps, so that one representative is evaluated per class. `refine` finds
// the coarsest such partition (Hopcroft's worklist, 1971: O(maps * p log p); of a ring from the
// shortest period of its costs: O(p)); `is_equitable` checks any partition independently in
// O(maps * p).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/sim/shift_map.hpp"

namespace fabricast {

struct RankClasses {
  std::int32_t count = 0;
  std::vector<std::int32_t> class_of;        // per position; classes numbered by first position
  std::vector<std::int32_t> representative;  // first position of each class
};

// Everything positions may differ by, and the maps (both directions) that join them.
struct ClassInput {
  std::int32_t positions = 0;
  std::vector<std::span<const std::int64_t>> rows;
  std::vector<ShiftMap> maps;
};

RankClasses refine(const ClassInput& input);
bool is_equitable(const ClassInput& input, const RankClasses& classes);
// From a class number per position (any numbering), as stored in an earlier result.
RankClasses classes_from(const std::vector<std::int32_t>& class_of);

}  // namespace fabricast
