#include "emulator/sim/group_columns.hpp"

#include <algorithm>
#include <limits>

#include "emulator/base/contracts.hpp"

namespace fabricast {

GroupColumns::GroupColumns(std::int32_t columns, std::int32_t weight, std::int32_t radix)
    : columns_(columns), weight_(weight), radix_(radix) {
  FABRICAST_EXPECT(radix >= 2, "a group with other members");
}

GroupColumns GroupColumns::folded(const RankClasses& classes) const {
  GroupColumns result(classes.count, weight_, radix_);
  result.begin_.push_back(0);
  std::vector<std::int32_t> seen_by(static_cast<std::size_t>(classes.count), -1);
  for (std::int32_t c = 0; c < classes.count; ++c) {
    const std::int32_t x = classes.representative[static_cast<std::size_t>(c)];
    const std::int32_t first = x - x / weight_ % radix_ * weight_;
    for (std::int32_t i = 0; i < radix_; ++i) {
      const std::int32_t member = first + i * weight_;
      const std::int32_t other = classes.class_of[static_cast<std::size_t>(member)];
      auto& seen = seen_by[static_cast<std::size_t>(other)];
      if (member == x || seen == c) continue;
      seen = c;
      result.others_.push_back(other);
    }
    result.begin_.push_back(static_cast<std::int32_t>(result.others_.size()));
  }
  return result;
}

void GroupColumns::others_max(const std::int64_t* from, std::int64_t* to) const {
  if (!begin_.empty()) {
    for (std::size_t c = 0; c + 1 < begin_.size(); ++c) {
      std::int64_t most = std::numeric_limits<std::int64_t>::min();
      for (std::int32_t i = begin_[c]; i < begin_[c + 1]; ++i) {
        most = std::max(most, from[others_[static_cast<std::size_t>(i)]]);
      }
      to[c] = most;
    }
    return;
  }
  // The largest of a group serves all but its owner, who takes the second largest.
  const std::int32_t block = weight_ * radix_;
  for (std::int32_t start = 0; start < columns_; start += block) {
    for (std::int32_t w = start; w < start + weight_; ++w) {
      std::int64_t first = std::numeric_limits<std::int64_t>::min(), second = first;
      std::int32_t owner = w;
      for (std::int32_t x = w; x < start + block; x += weight_) {
        if (from[x] > first) {
          second = first;
          first = from[x];
          owner = x;
        } else {
          second = std::max(second, from[x]);
        }
      }
      for (std::int32_t x = w; x < start + block; x += weight_) to[x] = x == owner ? second : first;
    }
  }
}

}  // namespace fabricast
