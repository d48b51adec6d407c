// Exact periodicity of the general engine inside one repeated segment.
//
// The recurrence only adds constants and takes maxima, so it commutes with adding one constant to
// every live clock. If between two repetition boundaries of a segment all live values (lanes, ports
// as far as they can still matter, messages in flight, credits not yet used) have grown by one
// delta and the queues hold equally many messages, then the same number of further repetitions adds
// the same delta again, for ever: the engine may jump. The comparison is on integers over the whole
// state; when in doubt there is no jump. Snapshots are taken at doubling distances (Brent 1980).
// Of several cost sets evaluated together (WiredState::width) each has a delta of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/sim/wired_program.hpp"
#include "emulator/sim/wired_state.hpp"

namespace fabricast {

class WiredPeriod {
 public:
  // Boundaries are `window` repetitions apart, of which there must be several. Unrolled segments do
  // not repeat, and the end of another lane's stage does not move with them.
  static bool applies(const WiredSegment& segment, std::int32_t window);
  // How far lanes can be apart.
  static std::int32_t window(const WiredProgram& program, std::int32_t slices);
  WiredPeriod(const WiredProgram& program, const WiredSegment& segment);

  struct Period {
    std::int32_t repetitions = 0;
    std::vector<std::int64_t> delta_ps;  // per cost set
  };
  // Call at boundaries, with the number of repetitions done. O(1) typically, O(state) at worst.
  std::optional<Period> observe(const WiredState& state, std::int32_t repetitions);
  // Adds `times` deltas to every clock of the segment.
  void shift(WiredState& state, const Period& period, std::int32_t times) const;

 private:
  using Deltas = std::vector<std::int64_t>;
  bool moved_by_one_constant(const WiredState& state, const Deltas& delta_ps) const;
  bool queue_moved(const WiredState& state, std::size_t index, const Deltas& delta_ps) const;
  void remember(const WiredState& state, std::int32_t repetitions);

  std::int32_t depth_;
  std::vector<std::int32_t> lanes_;        // with steps in the segment
  std::vector<std::int32_t> connections_;  // used by them
  // Clocks of the snapshot, [index * width + member], the index into lanes_ or connections_.
  std::vector<std::int64_t> lane_, port_, slots_;
  std::vector<WiredQueue> queues_;
  std::int32_t snapshot_at_ = -1;
  std::int32_t next_snapshot_ = 0;
};

}  // namespace fabricast
