// One collective under jitter: the times of the members of an ensemble.
//
// A member is one run of the collective: every channel draws for itself, the time is the launch
// plus the slowest channel. Members are numbered from 0 and independent; any range of them can be
// evaluated anywhere with the same result. Draws depend on seed, member, channel, lane and step
// only: rows of one seed share them, so that their differences are not noise.
// Not thread safe; the case must outlive it. Memory: one wired program per channel class.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

// Members evaluated in one pass: ranges of this many, starting at a multiple of it, waste nothing.
inline constexpr std::int32_t members_per_pass = 8;

class FactorTable;

class Ensemble {
 public:
  // Throws UsageError if the schedule unrolls into too many steps (wire()).
  Ensemble(const CollectiveCase& made, const FactorTable& table, std::uint64_t seed,
           InstructionSet set);

  std::vector<std::int64_t> times_ps(std::int32_t first_member, std::int32_t count);
  std::int64_t updates() const { return updates_; }

 private:
  const CollectiveCase& made_;
  const FactorTable& table_;
  std::uint64_t seed_;
  InstructionSet set_;
  std::vector<WiredProgram> programs_;  // by channel class
  std::int64_t updates_ = 0;
};

}  // namespace fabricast
