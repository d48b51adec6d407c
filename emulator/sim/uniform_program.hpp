// A schedule that every position executes alike, compiled to rows: the input of the fast engine.
//
// Uniform means: all phases active everywhere, in groups of order `rounds`, peers none or shifts.
// Then all connections x -> map(x) of one shift map carry equally many messages at any moment: they
// are one *family* with one pair of counters, and message n of all of them is one row of clocks.
// Ring, hierarchical and pairwise schedules are uniform; trees and chains are not.
//
// Columns are positions, or classes of positions when folded. Built once, then constant. Memory:
// 32 bytes per column and phase; rows as planned in `Family`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/rank_classes.hpp"
#include "emulator/sim/shift_map.hpp"

namespace fabricast {

struct Family {
  ShiftMap map;
  std::int32_t sends = 0;  // per loop and slice
  std::int32_t receives = 0;
  std::int32_t sending_role = -1, receiving_role = -1;
  std::int32_t rows = 0;  // ready rows kept
  bool credits = false;   // more messages than slots: credit rows are kept as well
  // Families used in one repetition only take turns on a few shared rows; -1: rows of its own.
  std::int32_t pool = -1;
};

struct UniformPhase {
  FlatPhase flat;
  std::vector<std::int32_t> in_family, out_family;  // per repetition if it varies, else one entry
  std::vector<ColumnRun> runs;                      // of a phase that does not vary
  CostBlock costs;  // per column; of a phase that varies: the current repetition

  std::size_t at(std::int32_t k) const { return flat.varies ? static_cast<std::size_t>(k) : 0; }
};

struct UniformProgram {
  std::int32_t positions = 0;
  std::int32_t columns = 0;
  std::int32_t roles = 1;
  std::int32_t depth = 8;
  std::int32_t pools = 0;      // shared row sets
  std::int32_t pool_rows = 0;  // rows of each
  std::vector<Family> families;
  std::vector<std::int32_t> stage_repeat;
  std::vector<std::vector<UniformPhase>> stages;  // phases in listing order
  bool varies = false;                            // some phase does
};

// Empty when the schedule is uniform, else the reason why not, for people.
std::string why_not_uniform(const Schedule& schedule);

// Expects a uniform schedule. Throws UsageError if two lanes share one end of a connection. The
// reason is filled when the schedule turns out not to be uniform after all (maps of different
// digits share connections); the program is then unusable.
UniformProgram compile_uniform(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                               std::int32_t slices, std::string& reason);

// One column per class; costs and peers are those of the representatives. Expects `classes` to be
// equitable for this program and no phase to vary.
UniformProgram fold_program(const UniformProgram& program, const RankClasses& classes);

}  // namespace fabricast
