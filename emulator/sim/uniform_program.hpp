// A schedule that every position executes alike, compiled to rows: the input of the fast engine.
//
// Uniform means: phases active on a range of positions, in groups of order `rounds`, peers none or
// a family_map.hpp, and whoever receives along a map is who is sent to along it. Then all
// connections x -> map(x) of one map carry equally many messages at any moment: they are one
// *family* with one pair of counters, and message n of all of them is one row of clocks. Message n
// of a group is one row too: all members get it at the same time. Rings, hierarchies, exchanges,
// hypercubes and switches are uniform; trees, chains and roots are not.
//
// Columns are positions, or classes of positions when folded. Built once, then constant. Memory:
// 32 bytes per column and phase; rows as planned in `Family`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emulator/sim/family_map.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/group_columns.hpp"
#include "emulator/sim/rank_classes.hpp"

namespace fabricast {

struct Family {
  FamilyMap map;
  ColumnRange receivers;
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
  // Phases that differ from this one only in who executes them and in buffers, joined to it.
  std::vector<FlatPhase> joined;
  ColumnRange range;
  std::vector<std::int32_t> in_family, out_family;  // per repetition if it varies, else one entry
  std::vector<ColumnRun> runs;                      // of a phase that does not vary
  CostBlock costs;  // per column; of a phase that varies: of repetition costs_of
  std::int32_t costs_of = -1;
  std::int32_t in_group = -1, out_group = -1;  // index into UniformProgram::groups

  std::size_t at(std::int32_t k) const { return flat.varies ? static_cast<std::size_t>(k) : 0; }
};

struct UniformProgram {
  std::int32_t positions = 0;
  // Length of the cost rows before folding: positions, or one period of them that repeats.
  std::int32_t period = 0;
  std::int32_t columns = 0;
  std::int32_t roles = 1;
  std::int32_t depth = 8;
  std::int32_t pools = 0;      // shared row sets
  std::int32_t pool_rows = 0;  // rows of each
  std::vector<Family> families;
  std::vector<std::int32_t> stage_repeat;
  std::vector<std::vector<UniformPhase>> stages;  // phases in listing order
  // By stage: one lane sends to peers that vary, another one receives it all in the same
  // repetition, and no message waits for a slot.
  std::vector<bool> drains;
  std::vector<GroupColumns> groups;  // one per digit that has a switch
  bool varies = false;               // some phase does
  bool partial = false;              // some phase leaves positions out
  std::int64_t steps = 0;            // of one loop and slice, all positions
};

// The phases of a stage as the engine runs them: joined where only buffers differ, those without
// positions left out. Nothing, with the reason for people, if some phase cannot be uniform.
std::vector<std::vector<UniformPhase>> uniform_phases(const Schedule& schedule,
                                                      std::string& reason);

// Throws UsageError if two lanes share one end of a connection. The reason is filled when the
// schedule is not uniform; the program is then unusable.
// `period`: of the costs (periodic_costs.hpp), if the program is to be folded; it is kept where the
// peers of x + period are those of x, + period, and all positions take part. 0: rows are whole.
UniformProgram compile_uniform(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                               std::int32_t slices, std::string& reason, std::int32_t period = 0);

// A shift of `positions` as it acts on positions modulo `period`; nothing if it does not.
std::optional<ShiftMap> shift_modulo(const ShiftMap& map, std::int32_t positions,
                                     std::int32_t period);

// One column per class; costs and peers are those of the representatives. Expects `classes`,
// of the positions of one period, to be equitable for this program, and no phase to vary or to
// leave positions out.
UniformProgram fold_program(const UniformProgram& program, const RankClasses& classes);

// Costs of a phase and of those joined to it, in repetition k.
void fill_costs(UniformPhase& phase, const StepCosts& costs, std::int32_t k);

}  // namespace fabricast
