// A long ring stage in blocks that fit into a cache.
//
// One phase, every column receives from x-1 and sends to x+1 (mod columns), u messages in flight on
// each connection, D = u + L slots. A step at x depends on x-1 (u steps before) and on x+1 (L steps
// before), so B steps of a tile need B/u columns to its left and B/L to its right: they are
// computed again (wide halos), and B steps of a tile run without touching the rest. Exact: the
// recomputed columns are discarded. Two copies of the state: tiles read the old one and write the
// new one. Without AVX-512 a tile holds doubles as long as all its clocks stay below 2^51 ps (37
// minutes), where they are exact; the same integers come out. Memory: 2 * (2 + D) rows of columns,
// half as much again to look for periods, or half of it where patches (ring_patches.hpp) do all
// steps; one tile of about 240 KB.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/ring_period.hpp"
#include "emulator/sim/ring_team.hpp"
#include "emulator/sim/ring_tile.hpp"

namespace fabricast {

class RingBlock {
 public:
  // Expects 1 <= in_flight < depth and columns >= 2.
  RingBlock(std::int32_t columns, std::int32_t in_flight, std::int32_t depth,
            const CostBlock& costs, InstructionSet set);

  // State before the first and after the last step, one value per column.
  std::int64_t* lane() { return row(0); }
  std::int64_t* port() { return row(1); }
  // Message number `i` of those in flight, oldest first, 0 <= i < in_flight.
  std::int64_t* ready(std::int32_t i);
  // Credit of the i-th of the last depth - in_flight messages received, oldest first.
  std::int64_t* credit(std::int32_t i);

  // With a team, whose processes all call this, each advances its own columns.
  // Updates passed over, none without `jump`: those of stretches that were known
  // (ring_patches.hpp), and whole periods, once all clocks repeat (ring_period.hpp).
  std::int64_t advance(std::int64_t steps, bool jump, RingTeam* team = nullptr);
  std::int64_t state_bytes() const;

 private:
  std::int64_t* row(std::int32_t r) {
    return current_.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(shape_.columns);
  }
  // The first of `steps` steps, as many as patches of the ring are alike for.
  std::int64_t advance_alike(std::int64_t& steps);
  template <class T>
  void advance_block(RingTile<T>& tile, std::int32_t steps);
  template <class T>
  void load_tile(RingTile<T>& tile, std::int32_t first, std::int32_t count, bool port_covers_lane);
  bool ports_can_cover_lanes(std::int32_t first, std::int32_t count);
  // All rows, oldest message first.
  std::vector<std::int64_t*> rows_by_age();
  std::optional<RingPeriod::Period> find_period(RingTeam* team);
  bool exact_in_doubles(std::int32_t steps);

  static constexpr std::int64_t unknown_bound = std::numeric_limits<std::int64_t>::max();

  RingShape shape_;
  const CostBlock& costs_;
  InstructionSet set_;
  std::int32_t block_steps_;
  ColumnShare own_;                               // the columns advanced here
  std::vector<std::int64_t> covering_port_cost_;  // max(port cost, lane cost)
  std::int64_t most_growth_;                      // of any clock in one step
  std::int64_t clock_bound_ = unknown_bound;      // no clock is larger
  std::int64_t done_ = 0;                         // steps so far: where the rings of rows begin
  std::vector<std::int64_t> current_, next_;      // [row][column]
  RingTile<std::int64_t> tile_;
  RingTile<double> double_tile_;  // without AVX-512
  RingPeriod period_;
  std::int64_t patch_bytes_ = 0;
};

}  // namespace fabricast
