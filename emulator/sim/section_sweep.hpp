// Schedules that work inside domains and across them in turns, one such section after the other.
//
// A section is a run of stages whose messages all go along one digit of the positions: fibres,
// positions that differ in that digit only, know nothing of each other. Where no two sections share
// a connection, all that passes from one to the next are the clocks of lanes and ports. So a
// section is evaluated a few fibres at a time, in the caches: rings and the like as rows
// (uniform_program.hpp), a tree lane by lane (lane_stream.hpp), compiled for one fibre, whose shape
// all of them have. A section that is neither, two loops, or a lane that waits for another one's
// stage (semantics 2.7) other than the last of the section before: not evaluated here.
// Equal to the other engines' to the picosecond. Memory: two clocks per lane; while it is evaluated
// 32 bytes per position and phase of a section of rows; per step of a tree, and per position once
// more. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/instruction_set.hpp"

namespace fabricast {

struct Section {
  std::int32_t first = 0, end = 0;  // stages
  std::int32_t digit = 0;           // of the positions, along which messages go
  bool tree = false;                // a tree, else rows
};

// Empty where the schedule does not fall into sections, or into one only.
std::vector<Section> sections_of(const Schedule& schedule);

// One loop. Nothing where there are no sections, or one of them cannot be evaluated by itself.
std::optional<EngineOutcome> section_sweep(const Schedule& schedule, const StepCosts& costs,
                                           std::int32_t slices, InstructionSet set);

}  // namespace fabricast
