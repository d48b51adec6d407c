// One tile of a ring block: a few columns with their halos, small enough for the caches.
//
// Rows: lane, port, u ready rows, L credit rows, then the four costs. T is int64, or double with
// integers below 2^51: the conversions are exact (the integer is placed into the mantissa). Not
// thread safe. Storage is sized by the constructor.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/ring_kernels.hpp"

namespace fabricast {

struct RingShape {
  std::int32_t columns = 0;    // of the whole ring
  std::int32_t in_flight = 1;  // u
  std::int32_t slack = 1;      // L
  std::int32_t state_rows() const { return 2 + in_flight + slack; }
};

// Columns to the right of a tile that `steps` steps depend on, and to its left.
constexpr std::int32_t right_halo(std::int32_t steps, std::int32_t slack) {
  return steps / slack + 2;
}
constexpr std::int32_t left_halo(std::int32_t steps, std::int32_t in_flight) {
  return steps / in_flight + 1;
}

// Columns of so many vectors as hold `count`.
constexpr std::int32_t whole_vectors(std::int32_t count) {
  return (count + ring_vector_columns - 1) / ring_vector_columns * ring_vector_columns;
}

template <class T>
class RingTile {
 public:
  static constexpr std::int32_t cost_rows = 4;

  RingTile() = default;
  RingTile(const RingShape& shape, std::int32_t most_columns);

  // Columns first .. first + count - 1 (mod ring) of a row.
  void load(std::int32_t row, const std::int64_t* from, std::int32_t first, std::int32_t count);
  // `count` columns of a row, from column `begin` of the tile.
  void store(std::int32_t row, std::int32_t begin, std::int32_t count, std::int64_t* to) const;
  // `steps` steps of the loaded columns but the last ring_vector_columns. `done`: steps before
  // these, which tells where the rings of rows begin.
  void advance(std::int32_t columns, std::int64_t done, std::int32_t steps, InstructionSet set,
               bool port_covers_lane);
  std::int64_t bytes() const { return static_cast<std::int64_t>(rows_.size() * sizeof(T)); }

 private:
  T* row(std::int32_t r) {
    return rows_.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(stride_);
  }

  RingShape shape_;
  std::int32_t stride_ = 0;
  std::vector<T> rows_;
};

extern template class RingTile<std::int64_t>;
extern template class RingTile<double>;

}  // namespace fabricast
