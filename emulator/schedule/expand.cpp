#include "emulator/schedule/expand.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

std::uint32_t rank_of(const Placement& placement, std::int32_t position) {
  return position < 0 ? no_peer : static_cast<std::uint32_t>(placement.rank_at(position));
}

}  // namespace

LaneProgram expand(const Schedule& schedule, const Placement& placement, std::int32_t rank,
                   std::int32_t role) {
  FABRICAST_EXPECT(placement.space() == schedule.space, "placement and schedule share a rank space");
  const std::int32_t x = placement.position_of(rank);
  const RankSpace& space = schedule.space;
  LaneProgram program;
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    for (std::int32_t k = 0; k < stage.repeat; ++k) {
      const auto bundle = static_cast<std::int32_t>(program.steps.size());
      for (std::size_t g = 0; g < stage.groups.size(); ++g) {
        const auto& phases = stage.groups[g].phases;
        for (std::size_t f = 0; f < phases.size(); ++f) {
          const Phase& phase = phases[f];
          if (phase.role != role || !is_active(phase.active, space, x)) continue;
          Step step;
          step.action = phase.action;
          step.role = static_cast<std::uint8_t>(role & 7);
          step.from_output = phase.from_output ? 1 : 0;
          step.peer_in = rank_of(placement, peer_of(phase.peer_in, space, x, k));
          step.peer_out = rank_of(placement, peer_of(phase.peer_out, space, x, k));
          step.chunk_first = static_cast<std::uint32_t>(chunk_of(phase.chunk, space, x, k));
          step.chunk_count = static_cast<std::uint16_t>(phase.chunk.count);
          program.steps.push_back(step);
          program.origins.push_back({static_cast<std::int16_t>(s), static_cast<std::int16_t>(g),
                                     static_cast<std::int16_t>(f), k});
        }
      }
      if (static_cast<std::int32_t>(program.steps.size()) > bundle) program.bundles.push_back(bundle);
    }
  }
  program.bundles.push_back(static_cast<std::int32_t>(program.steps.size()));
  return program;
}

}  // namespace fabricast
