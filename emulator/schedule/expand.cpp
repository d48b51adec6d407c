#include "emulator/schedule/expand.hpp"

#include <algorithm>
#include <bit>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/lowered.hpp"

namespace fabricast {
namespace {

class Expansion {
 public:
  Expansion(const Schedule& schedule, const Placement& placement, std::int32_t rank,
            std::int32_t role, LaneProgram& program)
      : schedule_(schedule),
        placement_(placement),
        x_(placement.position_of(rank)),
        role_(role),
        program_(program) {}

  void run();
  void add_bundle(std::size_t stage, std::int32_t repetition);

 private:
  void add_phase(const Phase& phase, const StepOrigin& origin);
  void add_step(const Phase& phase, const StepOrigin& origin);
  bool lacks_peer(const PeerMap& map, const StepOrigin& origin) const;
  Step step_of(const Phase& phase, std::int32_t k) const;
  std::uint32_t rank_of(std::int32_t position) const {
    return position < 0 ? no_peer : static_cast<std::uint32_t>(placement_.rank_at(position));
  }

  const Schedule& schedule_;
  const Placement& placement_;
  std::int32_t x_, role_;
  LaneProgram& program_;
};

constexpr std::uint32_t wide = 0xFFFFFFu;  // the 24-bit fields of a Step

std::uint32_t chunk_number(std::int32_t chunk) { return static_cast<std::uint32_t>(chunk); }

void Expansion::run() {
  for (std::size_t s = 0; s < schedule_.stages.size(); ++s) {
    for (std::int32_t k = 0; k < schedule_.stages[s].repeat; ++k) {
      const auto bundle = static_cast<std::int32_t>(program_.steps.size());
      add_bundle(s, k);
      if (static_cast<std::int32_t>(program_.steps.size()) > bundle) {
        program_.bundles.push_back(bundle);
      }
    }
  }
  program_.bundles.push_back(static_cast<std::int32_t>(program_.steps.size()));
}

void Expansion::add_bundle(std::size_t stage, std::int32_t repetition) {
  const auto& groups = schedule_.stages[stage].groups;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& phases = groups[g].phases;
    for (std::size_t f = 0; f < phases.size(); ++f) {
      if (phases[f].role != role_) continue;
      add_phase(phases[f], {static_cast<std::int16_t>(stage), static_cast<std::int16_t>(g),
                            static_cast<std::int16_t>(f), repetition});
    }
  }
}

Step Expansion::step_of(const Phase& phase, std::int32_t k) const {
  Step step;
  step.action = phase.action & 15u;
  step.source = static_cast<unsigned>(phase.source) & 3u;
  step.target = static_cast<unsigned>(phase.target) & 3u;
  step.peer_in = rank_of(peer_of(phase.peer_in, schedule_.space, x_, k)) & wide;
  step.peer_out = rank_of(peer_of(phase.peer_out, schedule_.space, x_, k)) & wide;
  step.source_chunk = chunk_number(source_chunk_of(phase, schedule_.space, x_, k)) & wide;
  step.target_chunk = chunk_number(target_chunk_of(phase, schedule_.space, x_, k)) & wide;
  step.chunk_count = static_cast<unsigned>(phase.chunk.count) & 0xFFFFu;
  step.stride_log2 =
      static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(phase.chunk.stride))) & 31u;
  return step;
}

void Expansion::add_phase(const Phase& phase, const StepOrigin& origin) {
  if (!is_active(phase.active, schedule_.space, x_)) return;
  if (lacks_peer(phase.peer_in, origin) || lacks_peer(phase.peer_out, origin)) return;
  if (!has_groups(phase)) {
    add_step(phase, origin);
    return;
  }
  for (const Phase& part : lowered(phase, schedule_.space)) add_step(part, origin);
}

// A map without a peer here means no step at all (semantics 2.4); a group is never without.
bool Expansion::lacks_peer(const PeerMap& map, const StepOrigin& origin) const {
  return map.exists() && !map.is_group() &&
         peer_of(map, schedule_.space, x_, origin.repetition) < 0;
}

void Expansion::add_step(const Phase& phase, const StepOrigin& origin) {
  StepExtra extra{phase.peer_in.fifo, phase.peer_out.fifo, -1, 0};
  if (phase.after) {
    extra.after_role = static_cast<std::int16_t>(phase.after[2 * x_]);
    extra.after_stage = phase.after[2 * x_ + 1];
  }
  program_.steps.push_back(step_of(phase, origin.repetition));
  program_.extras.push_back(extra);
  program_.origins.push_back(origin);
}

}  // namespace

std::int32_t LaneProgram::steps_through(std::int32_t stage) const {
  const auto end = std::find_if(origins.begin(), origins.end(),
                                [stage](const StepOrigin& origin) { return origin.stage > stage; });
  return static_cast<std::int32_t>(end - origins.begin());
}

LaneProgram expand(const Schedule& schedule, const Placement& placement, std::int32_t rank,
                   std::int32_t role) {
  FABRICAST_EXPECT(placement.space() == schedule.space,
                   "placement and schedule share a rank space");
  LaneProgram program;
  Expansion(schedule, placement, rank, role, program).run();
  return program;
}

void expand_bundle(const Schedule& schedule, const Placement& placement, std::int32_t rank,
                   std::int32_t role, std::int32_t stage, std::int32_t repetition,
                   LaneProgram& program) {
  Expansion(schedule, placement, rank, role, program)
      .add_bundle(static_cast<std::size_t>(stage), repetition);
}

}  // namespace fabricast
