#include "emulator/schedule/expand.hpp"

#include <algorithm>
#include <bit>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

class Expansion {
 public:
  Expansion(const Schedule& schedule, const Placement& placement, std::int32_t rank,
            std::int32_t role)
      : schedule_(schedule), placement_(placement), x_(placement.position_of(rank)), role_(role) {}

  LaneProgram run();

 private:
  void add_phase(const Phase& phase, const StepOrigin& origin);
  void add_group_phase(const Phase& phase, Step step, StepExtra extra, const StepOrigin& origin);
  Step plain_step(const Phase& phase, std::int32_t k) const;
  void push(const Step& step, const StepExtra& extra, const StepOrigin& origin) {
    program_.steps.push_back(step);
    program_.extras.push_back(extra);
    program_.origins.push_back(origin);
  }
  std::uint32_t rank_of(std::int32_t position) const {
    return position < 0 ? no_peer : static_cast<std::uint32_t>(placement_.rank_at(position));
  }

  const Schedule& schedule_;
  const Placement& placement_;
  std::int32_t x_, role_;
  LaneProgram program_;
};

constexpr std::uint32_t wide = 0xFFFFFFu;  // the 24-bit fields of a Step

std::uint32_t chunk_number(std::int32_t chunk) { return static_cast<std::uint32_t>(chunk); }

LaneProgram Expansion::run() {
  for (std::size_t s = 0; s < schedule_.stages.size(); ++s) {
    const Stage& stage = schedule_.stages[s];
    for (std::int32_t k = 0; k < stage.repeat; ++k) {
      const auto bundle = static_cast<std::int32_t>(program_.steps.size());
      for (std::size_t g = 0; g < stage.groups.size(); ++g) {
        const auto& phases = stage.groups[g].phases;
        for (std::size_t f = 0; f < phases.size(); ++f) {
          if (phases[f].role != role_) continue;
          add_phase(phases[f], {static_cast<std::int16_t>(s), static_cast<std::int16_t>(g),
                                static_cast<std::int16_t>(f), k});
        }
      }
      if (static_cast<std::int32_t>(program_.steps.size()) > bundle) {
        program_.bundles.push_back(bundle);
      }
    }
  }
  program_.bundles.push_back(static_cast<std::int32_t>(program_.steps.size()));
  return std::move(program_);
}

Step Expansion::plain_step(const Phase& phase, std::int32_t k) const {
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
  const RankSpace& space = schedule_.space;
  if (!is_active(phase.active, space, x_)) return;
  StepExtra extra{phase.peer_in.fifo, phase.peer_out.fifo, -1, 0};
  if (phase.after) {
    extra.after_role = static_cast<std::int16_t>(phase.after[2 * x_]);
    extra.after_stage = phase.after[2 * x_ + 1];
  }
  const Step step = plain_step(phase, origin.repetition);
  if (phase.peer_in.is_group() || phase.peer_out.is_group()) {
    add_group_phase(phase, step, extra, origin);
    return;
  }
  // A map without a peer here means no step at all (semantics 2.4).
  if (phase.peer_in.exists() && step.peer_in == no_peer) return;
  if (phase.peer_out.exists() && step.peer_out == no_peer) return;
  push(step, extra, origin);
}

// Receives come from the members downwards of the own digit, sends go upwards: nobody is served
// first by all.
void Expansion::add_group_phase(const Phase& phase, Step step, StepExtra extra,
                                const StepOrigin& origin) {
  const RankSpace& space = schedule_.space;
  const auto chunk_at = [&](std::int32_t member) {
    return chunk_number(source_chunk_of(phase, space, member, origin.repetition));
  };
  const bool sends = (phase.action & action_send) != 0;
  auto sources = group_members(phase.peer_in, space, x_);
  std::reverse(sources.begin(), sources.end());
  Step sent = step;  // what a following send reads
  sent.action = action_send;
  sent.peer_in = no_peer;
  const auto stored = [&](Step from) {
    from.source = from.target;
    from.source_chunk = from.target_chunk;
    return from;
  };
  if (phase.peer_in.is_group() && phase.per_member) {
    FABRICAST_EXPECT(!sends, "a gathering receive keeps what it gets");
    for (const std::int32_t member : sources) {
      Step gather = step;
      gather.action = action_recv | action_copy;
      gather.peer_in = rank_of(member) & wide;
      gather.source_chunk = gather.target_chunk = chunk_at(member) & wide;
      push(gather, extra, origin);
    }
    return;
  }
  if (phase.peer_in.is_group()) {
    FABRICAST_EXPECT((phase.action & action_copy) != 0, "a reducing group receive stores the sum");
    Step part = step;
    part.peer_out = no_peer;
    part.action = sources.empty() ? action_copy : action_recv | action_reduce | action_copy;
    for (const std::int32_t member : sources) {
      part.peer_in = rank_of(member) & wide;
      push(part, extra, origin);
      part = stored(part);
    }
    if (sources.empty()) push(part, extra, origin);
    sent = stored(sent);
  } else if ((phase.action & (action_recv | action_copy)) != 0) {
    Step first = step;
    first.action = static_cast<unsigned>(phase.action & ~action_send) & 15u;
    first.peer_out = no_peer;
    push(first, extra, origin);
    if ((phase.action & action_recv) != 0) sent = stored(sent);
  }
  if (!sends) return;
  if (!phase.peer_out.is_group()) {
    push(sent, extra, origin);
    return;
  }
  for (const std::int32_t member : group_members(phase.peer_out, space, x_)) {
    sent.peer_out = rank_of(member) & wide;
    if (phase.per_member) sent.source_chunk = chunk_at(member) & wide;
    push(sent, extra, origin);
  }
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
  return Expansion(schedule, placement, rank, role).run();
}

}  // namespace fabricast
