#include "emulator/sim/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/thread_seconds.hpp"
#include "emulator/cost/periodic_costs.hpp"
#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/section_sweep.hpp"
#include "emulator/sim/uniform_sweep.hpp"
#include "emulator/sim/wired_many.hpp"
#include "emulator/sim/wired_program.hpp"
#include "emulator/sim/wired_sweep.hpp"

namespace fabricast {
namespace {

// Classes are worth it when most columns disappear.
bool folding_pays(const RankClasses& classes, std::int32_t positions) {
  return classes.count <= positions / 2;
}

ClassInput class_input(const UniformProgram& program) {
  ClassInput input;
  input.positions = program.period;
  for (const auto& stage : program.stages) {
    for (const UniformPhase& phase : stage) {
      input.rows.emplace_back(phase.costs.lane);
      input.rows.emplace_back(phase.costs.port);
      input.rows.emplace_back(phase.costs.latency);
      input.rows.emplace_back(phase.costs.credit);
    }
  }
  for (const Family& family : program.families) {
    const ShiftMap map = family.map.kind == FamilyMap::Kind::group
                             ? group_step(family.map, program.positions)
                             : family.map.shift;
    input.maps.push_back(program.period < program.positions
                             ? *shift_modulo(map, program.positions, program.period)
                             : map);
  }
  return input;
}

// The classes to evaluate, or none with the reason in result.fold_note.
std::optional<RankClasses> find_classes(const UniformProgram& program, const SweepOptions& options,
                                        SweepResult& result) {
  if (!options.fold) {
    result.fold_note = "unfolded as asked";
    return std::nullopt;
  }
  if (program.varies) {
    result.fold_note = "unfolded: peers vary with the repetition, every cost is read once anyway";
    return std::nullopt;
  }
  const auto is_shift = [](const Family& family) {
    return family.map.kind == FamilyMap::Kind::shift || family.map.kind == FamilyMap::Kind::group;
  };
  if (program.partial || !std::all_of(program.families.begin(), program.families.end(), is_shift)) {
    result.fold_note = "unfolded: classes are found for shifts of all positions only";
    return std::nullopt;
  }
  const ClassInput input = class_input(program);
  RankClasses classes;
  bool known = false;
  if (program.period == program.positions &&
      options.class_hint.size() == static_cast<std::size_t>(program.positions)) {
    classes = classes_from(options.class_hint);
    known = folding_pays(classes, program.positions) && is_equitable(input, classes);
  }
  if (!known) classes = refine(input);
  if (!folding_pays(classes, program.positions)) {
    result.fold_note = fmt::format("unfolded: {} positions fall into {} classes, no gain",
                                   program.positions, classes.count);
    return std::nullopt;
  }
  if (!known && !is_equitable(input, classes)) {
    result.fold_note = "unfolded: the partition did not pass its check (a hash collision)";
    return std::nullopt;
  }
  result.fold_note = fmt::format("{} classes of {} positions", classes.count, program.positions);
  return classes;
}

// The classes of one period, said of every position.
std::vector<std::int32_t> over_all_positions(const std::vector<std::int32_t>& period,
                                             std::int32_t positions) {
  std::vector<std::int32_t> class_of;
  class_of.reserve(static_cast<std::size_t>(positions));
  while (class_of.size() < static_cast<std::size_t>(positions)) {
    class_of.insert(class_of.end(), period.begin(), period.end());
  }
  return class_of;
}

std::optional<EngineOutcome> run_uniform(const Schedule& schedule, const StepCosts& costs,
                                         const SweepOptions& options, InstructionSet set,
                                         SweepResult& result) {
  std::string reason;
  const auto* periodic = dynamic_cast<const PeriodicCosts*>(&costs);
  const std::int32_t period = options.fold && periodic != nullptr ? periodic->cost_period() : 0;
  UniformProgram program =
      compile_uniform(schedule, costs, options.loops, options.slices, reason, period);
  if (!reason.empty()) {
    result.fold_note = "unfolded: " + reason;
    return std::nullopt;
  }
  const auto classes = find_classes(program, options, result);
  if (classes) {
    program = fold_program(program, *classes);
    result.classes = classes->count;
    result.class_of = over_all_positions(classes->class_of, schedule.positions());
  } else if (program.period < program.positions) {  // a hash collision: whole rows after all
    program = compile_uniform(schedule, costs, options.loops, options.slices, reason);
  }
  auto outcome = uniform_sweep(program, costs, options.loops, options.slices, set, options.jump,
                               options.log, options.team);
  if (!outcome) {
    result.classes = schedule.positions();
    result.class_of.clear();
    result.fold_note = "unfolded: the listed order does not suit evaluation by rounds";
    return std::nullopt;
  }
  result.instruction_set = to_string(set);
  result.messages = program.steps * options.loops * options.slices;
  return outcome;
}

}  // namespace

SweepResult sweep(const Schedule& schedule, const StepCosts& costs, const SweepOptions& options) {
  if (options.loops < 1 || options.slices < 1) {
    throw UsageError("loops and slices must be at least 1");
  }
  const InstructionSet set = choose_instruction_set(options.instruction_set);
  const double begin = thread_seconds();
  SweepResult result;
  result.classes = schedule.positions();
  auto outcome = run_uniform(schedule, costs, options, set, result);
  if (!outcome && options.loops == 1 && options.log == nullptr) {
    outcome = section_sweep(schedule, costs, options.slices, set);
    if (outcome) {
      result.instruction_set = to_string(set);
      result.messages = outcome->updates;
    }
  }
  if (!outcome) {
    const WiredProgram program = wire(schedule, costs);
    if (options.log != nullptr) options.log->restart();
    outcome = wired_sweep(program, options.loops, options.slices, options.jump, options.log);
    result.instruction_set = to_string(InstructionSet::baseline);  // scalar code only
    result.messages = outcome->updates + outcome->skipped;
  }
  result.makespan = SimDuration(outcome->makespan_ps);
  result.stages = std::move(outcome->stages);
  result.updates = outcome->updates;
  result.skipped = outcome->skipped;
  result.state_bytes = outcome->state_bytes;
  result.engine_seconds = thread_seconds() - begin;
  return result;
}

std::vector<SimDuration> sweep_makespans(const Schedule& schedule,
                                         std::span<const StepCosts* const> sets,
                                         const SweepOptions& options) {
  const InstructionSet set = choose_instruction_set(options.instruction_set);
  std::vector<SimDuration> result;
  // It is the schedule's shape that decides: an engine takes all of them or none.
  const auto try_all = [&](auto evaluate) {
    for (std::size_t i = 0; result.size() == i && i < sets.size(); ++i) {
      const std::optional<EngineOutcome> outcome = evaluate(*sets[i]);
      if (outcome) result.emplace_back(outcome->makespan_ps);
    }
    return result.size() == sets.size();
  };
  SweepResult ignored;
  const auto uniform = [&](const StepCosts& costs) {
    return run_uniform(schedule, costs, options, set, ignored);
  };
  const auto in_sections = [&](const StepCosts& costs) {
    return section_sweep(schedule, costs, options.slices, set);
  };
  if (try_all(uniform) || (options.loops == 1 && try_all(in_sections))) return result;
  FABRICAST_ASSERT(result.empty(), "one engine for one schedule");
  const auto many = wired_sweep_many(wire(schedule, *sets.front()), schedule, sets, options.loops,
                                     options.slices, set, options.jump);
  for (const std::int64_t ps : many.makespan_ps) result.emplace_back(ps);
  return result;
}

}  // namespace fabricast
