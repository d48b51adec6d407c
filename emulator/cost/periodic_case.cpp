#include "emulator/cost/periodic_case.hpp"

#include "emulator/cost/table_step_costs.hpp"

namespace fabricast {
namespace {

bool linear_or_none(const PeerMap& map) {
  return map.kind == PeerMap::Kind::none || map.kind == PeerMap::Kind::linear;
}

// Every connection of a varying stage is used in one repetition: the peers of a stage are distinct.
bool meets_each_peer_once(const Stage& stage, const PeerMap& map, std::int32_t positions) {
  return map.kind == PeerMap::Kind::none ||
         ((map.a == 1 || map.a == -1) && stage.repeat < positions);
}

bool reducible(const Schedule& schedule) {
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        if (!linear_or_none(phase.peer_in) || !linear_or_none(phase.peer_out)) return false;
        if (phase.active.kind != Active::Kind::all) return false;
        if (!meets_each_peer_once(stage, phase.peer_in, schedule.positions()) ||
            !meets_each_peer_once(stage, phase.peer_out, schedule.positions())) {
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
  if (loops != 1 || slices > schedule.fifo_depth || !reducible(schedule)) return std::nullopt;
  PeriodicCase reduced{schedule, table->period()};
  reduced.schedule.space = RankSpace({reduced.period});
  const std::int32_t meetings = schedule.positions() / reduced.period + 1;
  reduced.schedule.fifo_depth = meetings * slices + 1;
  return reduced;
}

}  // namespace fabricast
