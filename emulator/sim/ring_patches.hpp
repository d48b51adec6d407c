// A long ring whose stretches are mostly alike: equal stretches are advanced once.
//
// The ring is cut into patches. What a patch holds after B steps follows from the costs and clocks
// of itself and of its two neighbours (ring_block.hpp: the halos of B steps lie within them), and
// adding one constant to all of them adds it to the result. So clocks are kept relative to a base
// per patch, equal contents are interned (interned_rows.hpp), and a result is remembered by the six
// contents and the two differences of bases: as Gosper's Hashlife (1984), with one level. Where a
// machine is regular but for a few places (a last pod that is partly filled, a slow rank) only what
// is new around these places is evaluated, and little is new: waves that pass along the ring meet
// the same stretches again and again.
// Exact: all comparisons are of integers. Clocks that can no longer matter are first raised to the
// ones that hide them: a port to its lane, a message to its receiver's lane, a credit to its
// sender's; every later step takes the maximum with those anyway. Once all patches hold what they
// held before, each later by one constant, whole periods are passed over.
// Not thread safe. Memory: the distinct contents and what is known of them, some most_bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/interned_rows.hpp"
#include "emulator/sim/ring_tile.hpp"
#include "emulator/sim/surroundings_table.hpp"

namespace fabricast {

class RingPatches {
 public:
  static constexpr std::int64_t most_bytes = 96'000'000;

  // Columns per patch that make few kinds of them; nothing where the ring has no such cut.
  static std::optional<std::int32_t> width_for(const CostBlock& costs, std::int32_t columns);

  RingPatches(const RingShape& shape, const CostBlock& costs, InstructionSet set,
              std::int32_t width);

  struct Advanced {
    std::int64_t steps = 0;      // done: fewer than asked for if too little was alike
    std::int64_t evaluated = 0;  // updates among them that were not known yet
  };
  // Rows of all columns: lane, port, messages oldest first, credits oldest first; before and after.
  Advanced advance(const std::vector<std::int64_t*>& rows, std::int64_t steps);
  std::int64_t bytes() const { return most_held_ + tile_.bytes(); }

 private:
  struct Patch {
    std::int32_t first = 0, width = 0;
    std::int32_t costs = 0;
    std::int32_t clocks = 0;
    std::int64_t base = 0;  // the lane of its first column
    std::uint64_t kind() const {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(costs)) << 32 |
             static_cast<std::uint32_t>(clocks);
    }
  };
  struct Snapshot {
    std::vector<Patch> patches;
    std::int64_t at = -1, next = 0;
  };

  void take(const std::vector<std::int64_t*>& rows);
  void put(const std::vector<std::int64_t*>& rows) const;
  // One block of steps for all patches; returns how many of them were not known.
  std::int64_t turn(std::int32_t steps);
  Surroundings surroundings(std::size_t patch, std::int32_t steps) const;
  PatchResult evaluate(std::size_t patch, std::int32_t steps);
  void load(std::size_t patch, std::int32_t left, std::int32_t right);
  PatchResult interned(std::int32_t first, std::int32_t width, std::int32_t steps);
  // Steps and growth since the snapshot, if all patches hold the same again.
  std::int64_t period(std::int64_t done, std::int64_t& delta_ps);
  void forget();
  const Patch& before(std::size_t i) const {
    return patches_[i == 0 ? patches_.size() - 1 : i - 1];
  }
  const Patch& behind(std::size_t i) const {
    return patches_[i + 1 == patches_.size() ? 0 : i + 1];
  }

  RingShape shape_;
  InstructionSet set_;
  std::int32_t block_steps_;
  std::vector<Patch> patches_;
  InternedRows costs_, clocks_;
  SurroundingsTable known_;
  Snapshot snapshot_;
  RingTile<std::int64_t> tile_;
  std::vector<std::vector<std::int64_t>> loaded_;  // [row]: a patch with its halos
  InternedRows::Row values_;                       // of a patch, before they are interned
  std::int64_t most_held_ = 0;
};

}  // namespace fabricast
