#include "emulator/sim/flat_phases.hpp"

namespace fabricast {

std::vector<FlatPhase> flatten(const Schedule& schedule) {
  std::vector<FlatPhase> flat;
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const auto& groups = schedule.stages[s].groups;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t f = 0; f < groups[g].phases.size(); ++f) {
        const Phase& phase = groups[g].phases[f];
        FlatPhase entry;
        entry.stage = static_cast<int>(s);
        entry.group = static_cast<int>(g);
        entry.index = static_cast<int>(f);
        entry.phase = &phase;
        entry.receives = (phase.action & action_recv) != 0;
        entry.sends = (phase.action & action_send) != 0;
        entry.varies =
            (entry.receives && phase.peer_in.varies()) || (entry.sends && phase.peer_out.varies());
        flat.push_back(entry);
      }
    }
  }
  return flat;
}

bool executes(const FlatPhase& phase, const RankSpace& space, std::int32_t x, std::int32_t k) {
  if (!is_active(phase.phase->active, space, x)) return false;
  if (phase.receives && peer_of(phase.phase->peer_in, space, x, k) < 0) return false;
  return !phase.sends || peer_of(phase.phase->peer_out, space, x, k) >= 0;
}

CostBlock::CostBlock(std::size_t positions)
    : lane(positions), port(positions), latency(positions), credit(positions) {}

void CostBlock::fill(const StepCosts& costs, const FlatPhase& phase, std::int32_t k) {
  costs.fill(phase.stage, phase.group, phase.index, k, rows());
}

}  // namespace fabricast
