#include "emulator/sim/surroundings_table.hpp"

namespace fabricast {
namespace {

// Products that do not wait for each other; one more mixes high bits into low ones.
std::uint64_t hash_of(const Surroundings& key) {
  std::uint64_t hash = key.left * 0x9E3779B97F4A7C15u;
  hash ^= key.own * 0xC2B2AE3D27D4EB4Fu;
  hash += key.right * 0x165667B19E3779F9u;
  hash ^= static_cast<std::uint64_t>(key.left_base) * 0xD6E8FEB86659FD93u;
  hash += static_cast<std::uint64_t>(key.right_base) * 0xA0761D6478BD642Fu;
  hash ^= static_cast<std::uint64_t>(key.steps) * 0xE7037ED1A0B428DBu;
  hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}

}  // namespace

std::size_t SurroundingsTable::place_of(const Surroundings& key) const {
  const std::size_t mask = places_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash_of(key)) & mask;
  while (places_[at].key.steps != 0 && !(places_[at].key == key)) at = (at + 1) & mask;
  return at;
}

void SurroundingsTable::add(const Surroundings& key, const PatchResult& result) {
  if (2 * (held_ + 1) > places_.size()) {
    std::vector<Place> before(2 * places_.size());
    before.swap(places_);
    for (const Place& place : before) {
      if (place.key.steps != 0) places_[place_of(place.key)] = place;
    }
  }
  places_[place_of(key)] = {key, result};
  ++held_;
}

}  // namespace fabricast
