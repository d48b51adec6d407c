// What becomes of a patch of a ring (ring_patches.hpp), by what it and its neighbours hold.
//
// Open addressing, at most half full: where all patches are looked up once per block of steps, that
// is most of the time, and a table of nodes takes five times as long. A hash chooses the place, the
// keys decide. Not thread safe; O(1) per call; 64 bytes per place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fabricast {

// What decides the result: kinds of the patch and its neighbours, their bases relative to its own.
struct Surroundings {
  std::uint64_t left = 0, own = 0, right = 0;  // numbers of their costs and of their clocks
  std::int64_t left_base = 0, right_base = 0;
  std::int64_t steps = 0;  // 0: an empty place
  // One branch: which of them differs cannot be foretold.
  bool operator==(const Surroundings& other) const {
    return ((left ^ other.left) | (own ^ other.own) | (right ^ other.right) |
            static_cast<std::uint64_t>((left_base ^ other.left_base) |
                                       (right_base ^ other.right_base) | (steps ^ other.steps))) ==
           0;
  }
};

struct PatchResult {
  std::int32_t clocks = 0;
  std::int64_t later = 0;  // base, relative to the base before
};

class SurroundingsTable {
 public:
  // Until the next add(); nullptr: not known.
  const PatchResult* find(const Surroundings& key) const {
    const Place& place = places_[place_of(key)];
    return place.key.steps != 0 ? &place.result : nullptr;
  }
  // Of a key that is not known.
  void add(const Surroundings& key, const PatchResult& result);
  void clear() { *this = {}; }
  std::int64_t bytes() const { return static_cast<std::int64_t>(places_.size() * sizeof(Place)); }

 private:
  struct Place {
    Surroundings key;
    PatchResult result;
  };

  // Where the key is, or the empty place where it belongs.
  std::size_t place_of(const Surroundings& key) const;

  std::vector<Place> places_ = std::vector<Place>(256);  // a power of two
  std::size_t held_ = 0;
};

}  // namespace fabricast
