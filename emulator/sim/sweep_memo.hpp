// The collectives of a training iteration, each distinct one evaluated once.
//
// An iteration has thousands of collectives but few distinct ones: equal (schedule, bytes, group)
// take equal time. What a group is, the caller numbers: groups of one number must have equal costs.
// O(log distinct) per known collective. Not thread safe.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "emulator/base/units.hpp"

namespace fabricast {

class SweepMemo {
 public:
  struct Key {
    std::string schedule;
    std::int64_t bytes = 0;
    std::int64_t group = 0;
    auto operator<=>(const Key&) const = default;
  };
  // What `evaluate` gave when the key first came.
  SimDuration time(const Key& key, const std::function<SimDuration()>& evaluate) {
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    return known_.emplace(key, evaluate()).first->second;
  }
  std::size_t distinct() const { return known_.size(); }

 private:
  std::map<Key, SimDuration> known_;
};

}  // namespace fabricast
