// The general engine: lanes run until they block, as the Kahn network of docs/semantics.md 2.5.
//
// Exact for every schedule, in any order of execution; a network that comes to rest before its end
// is a deadlock, reported with lane and step. Deterministic. Cost: O(steps) with a small constant
// for blocking; state is 16*D bytes per connection. Inside a long repeat an exact periodic jump is
// taken when the whole live state has moved by one constant (wired_period.hpp).
#pragma once

#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

// `jump` = false, or a log, evaluates every step. Throws UsageError on a deadlock.
EngineOutcome wired_sweep(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
                          bool jump = true, StepLog* log = nullptr);

}  // namespace fabricast
