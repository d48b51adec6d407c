#include "emulator/sim/interned_rows.hpp"

namespace fabricast {
namespace {

// Four at a time, which do not wait for each other.
std::uint64_t hash_of(const InternedRows::Row& values) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15u;
  constexpr std::size_t abreast = 4;
  std::uint64_t hashes[abreast] = {values.size(), 1, 2, 3};
  const auto add = [](std::uint64_t& hash, std::int64_t value) {
    hash = (hash ^ static_cast<std::uint64_t>(value)) * factor;
    hash ^= hash >> 29;
  };
  std::size_t i = 0;
  for (; i + abreast <= values.size(); i += abreast) {
    for (std::size_t j = 0; j < abreast; ++j) add(hashes[j], values[i + j]);
  }
  for (; i < values.size(); ++i) add(hashes[0], values[i]);
  for (std::size_t j = 1; j < abreast; ++j) {
    add(hashes[0], static_cast<std::int64_t>(hashes[j]));
  }
  return hashes[0];
}

}  // namespace

std::int32_t InternedRows::number_of(const Row& values) {
  const std::uint64_t hash = hash_of(values);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto known = first; known != last; ++known) {
    if (at(known->second) == values) return known->second;
  }
  const std::int32_t number = count();
  by_hash_.emplace(hash, number);
  bytes_ += static_cast<std::int64_t>(values.size() * sizeof(std::int64_t));
  rows_.push_back(values);
  return number;
}

void InternedRows::clear() {
  rows_.clear();
  by_hash_.clear();
  bytes_ = 0;
}

}  // namespace fabricast
