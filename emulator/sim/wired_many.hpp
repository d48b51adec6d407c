// wired_sweep for many cost sets of one schedule: eight per pass (member_clocks.hpp).
//
// Control flow does not depend on clocks, so it is walked once for all members of a pass; each gets
// exactly what wired_sweep gives with its costs. Pure. Memory: 256 bytes per step of the program
// and 8*D*8 bytes per connection; where that is more than max_many_bytes, members are evaluated
// one by one. Cost of a pass of eight: 4.5 to 6.8 single evaluations (measured on busy cores; the
// clocks are memory traffic, the walk is what is shared).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

inline constexpr std::int64_t max_many_bytes = std::int64_t{1} << 30;

struct ManyOutcome {
  std::vector<std::int64_t> makespan_ps;  // by member
  std::int64_t updates = 0;               // steps evaluated, each member's counted
  std::int64_t skipped = 0;
  std::int64_t state_bytes = 0;  // of one pass
};

// `program` is wire(schedule, any costs). Throws UsageError on a deadlock.
ManyOutcome wired_sweep_many(const WiredProgram& program, const Schedule& schedule,
                             std::span<const StepCosts* const> sets, std::int32_t loops,
                             std::int32_t slices, InstructionSet set, bool jump = true);

}  // namespace fabricast
