#include "emulator/cost/periodic_case.hpp"

#include <algorithm>
#include <vector>

#include "emulator/cost/table_step_costs.hpp"

namespace fabricast {
namespace {

// The shifts of digit 1 that the repetitions use are distinct, each with all shifts of digit 0.
bool shifts_are_distinct(const Stage& stage, const PeerMap& map, const RankSpace& space) {
  const std::int32_t inner = space.radix(0);
  std::vector<std::int32_t> used;
  for (std::int32_t i = map.b / inner; i <= (map.b + stage.repeat - 1) / inner; ++i) {
    used.push_back(map.table[i]);
  }
  std::sort(used.begin(), used.end());
  return std::adjacent_find(used.begin(), used.end()) == used.end() && !used.empty() &&
         used.front() >= 0 && used.back() < space.radix(1);
}

// Every connection of a varying stage is used in one repetition: the peers of a stage are distinct.
bool meets_each_peer_once(const Stage& stage, const PeerMap& map, const Schedule& schedule,
                          std::int32_t period) {
  if (!map.exists()) return true;
  if (map.a != 1 && map.a != -1) return false;
  if (map.kind == PeerMap::Kind::linear) return stage.repeat < schedule.positions();
  const RankSpace& space = schedule.space;
  return map.kind == PeerMap::Kind::rounds && space.digits() == 2 && period % space.radix(0) == 0 &&
         shifts_are_distinct(stage, map, space);
}

bool reducible(const Schedule& schedule, std::int32_t period) {
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        if (phase.active.kind != Active::Kind::all) return false;
        if (!meets_each_peer_once(stage, phase.peer_in, schedule, period) ||
            !meets_each_peer_once(stage, phase.peer_out, schedule, period)) {
          return false;
        }
      }
    }
  }
  return true;
}

// Are all peers of x its equals (along digit 0, with the same digit 1) or all others along digit 1?
bool stays_with_equals(const PeerMap& map) {
  if (!map.exists()) return true;
  if (map.kind == PeerMap::Kind::tree) return map.level && map.digit == 0;
  return map.is_group() && map.digit == 1;
}

bool same_for_all_members(const Phase& phase, const RankSpace& space) {
  const Active& active = phase.active;
  const bool alike = active.kind == Active::Kind::all ||
                     (active.kind == Active::Kind::level_tree_shape && active.first == 0);
  if (!alike || !stays_with_equals(phase.peer_in) || !stays_with_equals(phase.peer_out)) {
    return false;
  }
  for (std::int32_t x = 0; phase.after && x < 2 * space.size(); ++x) {
    if (phase.after[x] != phase.after[x % (2 * space.radix(0))]) return false;
  }
  return true;
}

// Two members of every group stand for all: where all of them do the same, with the same costs,
// their clocks are equal, and the latest of the others is the other.
std::optional<PeriodicCase> two_members(const Schedule& schedule, const TableStepCosts& costs) {
  const RankSpace& space = schedule.space;
  if (space.digits() != 2 || space.radix(1) < 3 || costs.cost_period() != space.radix(0)) {
    return std::nullopt;
  }
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        if (!same_for_all_members(phase, space)) return std::nullopt;
      }
    }
  }
  PeriodicCase reduced{schedule, space.radix(0)};
  reduced.schedule.space = RankSpace({space.radix(0), 2});
  return reduced;
}

}  // namespace

std::optional<PeriodicCase> one_period(const Schedule& schedule, const StepCosts& costs,
                                       std::int32_t loops, std::int32_t slices) {
  const auto* table = dynamic_cast<const TableStepCosts*>(&costs);
  if (table != nullptr) {
    if (auto reduced = two_members(schedule, *table)) return reduced;
  }
  if (table == nullptr || table->period() >= schedule.positions()) return std::nullopt;
  if (loops != 1 || slices > schedule.fifo_depth || !reducible(schedule, table->period()))
    return std::nullopt;
  PeriodicCase reduced{schedule, table->period()};
  const std::int32_t inner = schedule.space.radix(0);
  reduced.schedule.space = schedule.space.digits() == 2 && reduced.period % inner == 0
                               ? RankSpace({inner, reduced.period / inner})
                               : RankSpace({reduced.period});
  const std::int32_t meetings = schedule.positions() / reduced.period + 1;
  reduced.schedule.fifo_depth = meetings * slices + 1;
  return reduced;
}

}  // namespace fabricast
