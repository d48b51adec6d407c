// Exact periodicity of the fast engine from loop to loop.
//
// As wired_period.hpp: the recurrence only adds constants and takes maxima, so if between two loop
// boundaries everything that can still matter (lanes, ports, messages in flight, credits) has grown
// by one constant, it will do so again, for ever, and whole periods of loops may be passed over.
// Compared are integers, all of them; when in doubt there is no jump. Snapshots are taken at
// doubling distances (Brent 1980). O(1) per loop typically, O(state) at worst.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/sim/uniform_run.hpp"

namespace fabricast {

class UniformPeriod {
 public:
  explicit UniformPeriod(UniformRun& run);

  // Call when a loop is over. Passes over as many whole periods as leave one loop to do, and
  // returns how many loops those are.
  std::int32_t jump_after(std::int32_t loop);

 private:
  // A part of a row that must move: its place now, among the values compared.
  template <class Visit>
  bool visit_live(Visit visit) const;
  std::int64_t moved() const;
  void shift(std::int64_t delta_ps);

  UniformRun& run_;
  bool applies_ = true;
  std::vector<ColumnRange> lanes_;  // per role: positions that ever run
  std::vector<std::int64_t> snapshot_;
  std::int32_t snapshot_at_ = -1;
  std::int32_t next_snapshot_ = 1;
};

}  // namespace fabricast
