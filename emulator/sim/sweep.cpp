#include "emulator/sim/sweep.hpp"

#include <chrono>

#include "emulator/base/error.hpp"
#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/wired_program.hpp"
#include "emulator/sim/wired_sweep.hpp"

namespace fabricast {

SweepResult sweep(const Schedule& schedule, const StepCosts& costs, const SweepOptions& options) {
  if (options.loops < 1 || options.slices < 1) {
    throw UsageError("loops and slices must be at least 1");
  }
  const auto begin = std::chrono::steady_clock::now();
  SweepResult result;
  const WiredProgram program = wire(schedule, costs);
  EngineOutcome outcome = wired_sweep(program, options.loops, options.slices, options.jump);
  result.makespan = SimDuration(outcome.makespan_ps);
  result.stages = std::move(outcome.stages);
  result.updates = outcome.updates;
  result.skipped = outcome.skipped;
  result.messages = outcome.updates + outcome.skipped;
  result.classes = schedule.positions();
  result.state_bytes = outcome.state_bytes;
  result.engine_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.instruction_set = "baseline";
  return result;
}

}  // namespace fabricast
