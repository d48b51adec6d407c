// The fast engine: one row of clocks after the other, for uniform schedules.
//
// Exact. Cost: one max-plus update per column and step, vectorized; rings of many columns are
// evaluated in cache-sized blocks (ring_block.hpp); exactly periodic loops are passed over if `jump`
// (uniform_period.hpp). State: 2 rows per role, at most 2*D rows per
// family of connections.
#pragma once

#include <optional>

#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/uniform_program.hpp"

namespace fabricast {

// Empty when some step would need a message or a slot that comes later in the listed order: either
// a deadlock or an order that only the general engine can follow. `costs` fills the rows of phases
// that vary, and must be empty of them when folded. With a log every step is evaluated for itself. `team`: as
// SweepOptions::team.
std::optional<EngineOutcome> uniform_sweep(UniformProgram& program, const StepCosts& costs,
                                           std::int32_t loops, std::int32_t slices,
                                           InstructionSet set, bool jump = true,
                                           StepLog* log = nullptr,
                                           const Communicator* team = nullptr);

}  // namespace fabricast
