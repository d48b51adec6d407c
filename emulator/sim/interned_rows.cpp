#include "emulator/sim/interned_rows.hpp"

#include <utility>

namespace fabricast {
namespace {

std::uint64_t hash_of(const InternedRows::Row& values) {
  std::uint64_t hash = values.size();
  for (const std::int64_t value : values) {
    hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

std::int32_t InternedRows::number_of(Row values) {
  const std::uint64_t hash = hash_of(values);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto known = first; known != last; ++known) {
    if (at(known->second) == values) return known->second;
  }
  const std::int32_t number = count();
  by_hash_.emplace(hash, number);
  bytes_ += static_cast<std::int64_t>(values.size() * sizeof(std::int64_t));
  rows_.push_back(std::move(values));
  return number;
}

void InternedRows::clear() {
  rows_.clear();
  by_hash_.clear();
  bytes_ = 0;
}

}  // namespace fabricast
