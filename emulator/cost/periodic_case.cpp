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

}  // namespace

std::optional<PeriodicCase> one_period(const Schedule& schedule, const StepCosts& costs,
                                       std::int32_t loops, std::int32_t slices) {
  const auto* table = dynamic_cast<const TableStepCosts*>(&costs);
  if (table == nullptr || table->period() >= schedule.positions()) return std::nullopt;
  if (loops != 1 || slices > schedule.fifo_depth || !reducible(schedule, table->period())) return std::nullopt;
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
