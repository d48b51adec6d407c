// sweep: the timing of one channel as a max-plus recurrence, evaluated round by round.
//
// Implements docs/semantics.md for one channel: clocks are int64 picoseconds, one pair (lane, port)
// per role and position, plus rings of D+1 rows per connection family. Exact; equal to the naive
// longest path (naive.hpp) on every input. Not thread safe per object; deterministic.
// Cost: O(messages) updates, O(positions * (D + roles)) memory; with folding, positions become
// classes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/base/units.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/step_log.hpp"

namespace fabricast {

struct SweepOptions {
  std::int32_t loops = 1;
  std::int32_t slices = 1;
  bool fold = true;             // evaluate one representative per class of symmetric positions
  bool jump = true;             // pass over exactly periodic repetitions and loops (wired_period.hpp)
  std::string instruction_set;  // "", "baseline", "x86-64-v3", "x86-64-v4"; "" picks the best
  // Class numbers of an earlier result for the same machine: tried before searching anew. Wrong
  // hints are found out by the equitability check and cost time only.
  std::vector<std::int32_t> class_hint{};
  // Takes the steps of the columns it watches: classes of SweepResult::class_of, or positions where
  // that is empty. Every step is then evaluated, whatever `jump` says.
  StepLog* log = nullptr;
  // Processes that all call sweep() with the same arguments: long rings are divided among them
  // (ring_team.hpp). Null: this one does all.
  const Communicator* team = nullptr;
};

struct StageSpan {
  std::int64_t start_ps = 0;  // earliest start of a step of the stage (first loop)
  std::int64_t end_ps = 0;    // latest end of a step of the stage (last loop)
};

struct SweepResult {
  SimDuration makespan;                // max over positions and roles of the last end
  std::vector<StageSpan> stages;       // one per Schedule::stages
  std::int64_t updates = 0;            // max-plus steps really evaluated
  std::int64_t skipped = 0;            // max-plus steps passed over by exact periodic jumps
  std::int64_t messages = 0;           // steps the unfolded evaluation has
  std::int32_t classes = 0;            // classes evaluated; == positions when unfolded
  std::vector<std::int32_t> class_of;  // per position, empty when unfolded
  std::int64_t state_bytes = 0;
  double engine_seconds = 0;    // processor time on one core, set-up and folding included
  std::string instruction_set;  // the variant that ran
  std::string fold_note;        // why not folded, or "72 classes of 140"
};

// Throws UsageError when the schedule deadlocks for its fifo_depth (semantics 4.3) or has a shape
// the sweep cannot evaluate (message says which).
SweepResult sweep(const Schedule& schedule, const StepCosts& costs, const SweepOptions& options);

// The makespans of several cost sets of one schedule: each what sweep() gives with its costs. Where
// the general engine runs, eight are evaluated per pass (wired_many.hpp). Takes no log.
std::vector<SimDuration> sweep_makespans(const Schedule& schedule,
                                         std::span<const StepCosts* const> sets,
                                         const SweepOptions& options);

}  // namespace fabricast
