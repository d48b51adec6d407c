// The other members of every column's group, and the largest of their clocks (semantics 3.8).
//
// Columns are positions (groups along one digit), or classes of positions when folded: then the
// distinct classes of the others. Built once, then constant. Positions: O(1) memory; others_max is
// O(columns). Classes: O(sum of distinct classes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulator/sim/rank_classes.hpp"

namespace fabricast {

class GroupColumns {
 public:
  // Along the digit with this weight and radix >= 2.
  GroupColumns(std::int32_t columns, std::int32_t weight, std::int32_t radix);
  GroupColumns folded(const RankClasses& classes) const;

  // to[c] = max of from[o] over the others o of column c.
  void others_max(const std::int64_t* from, std::int64_t* to) const;
  bool is_along(std::int32_t weight, std::int32_t radix) const {
    return weight_ == weight && radix_ == radix;
  }

 private:
  std::int32_t columns_, weight_, radix_;
  std::vector<std::int32_t> begin_, others_;  // of classes; empty for positions
};

}  // namespace fabricast
