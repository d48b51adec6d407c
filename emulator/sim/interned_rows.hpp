// Blocks of integers, each kept once: equal blocks have equal numbers.
//
// A hash finds candidates, the values themselves decide, so that a collision costs time only.
// Not thread safe. O(length) per call; memory: the distinct blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace fabricast {

class InternedRows {
 public:
  using Row = std::vector<std::int64_t>;

  std::int32_t number_of(const Row& values);
  // Stays where it is until clear().
  const Row& at(std::int32_t number) const { return rows_[static_cast<std::size_t>(number)]; }
  std::int32_t count() const { return static_cast<std::int32_t>(rows_.size()); }
  std::int64_t bytes() const { return bytes_; }
  void clear();

 private:
  std::deque<Row> rows_;
  std::unordered_multimap<std::uint64_t, std::int32_t> by_hash_;
  std::int64_t bytes_ = 0;
};

}  // namespace fabricast
