#include "emulator/sim/flat_phases.hpp"

#include <array>
#include <optional>

#include "emulator/schedule/tree.hpp"

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

namespace {

bool is_alone(const PeerMap& group, const RankSpace& space) {
  return space.radix(group.digit) == 1;
}

std::vector<std::int32_t> peers(const PeerMap& map, const RankSpace& space, std::int32_t x,
                                std::int32_t k) {
  if (map.is_group()) return group_members(map, space, x);
  return {peer_of(map, space, x, k)};
}

}  // namespace

bool executes(const FlatPhase& phase, const RankSpace& space, std::int32_t x, std::int32_t k) {
  return is_active(phase.phase->active, space, x) && peers_exist(phase, space, x, k);
}

bool peers_exist(const FlatPhase& phase, const RankSpace& space, std::int32_t x, std::int32_t k) {
  const PeerMap& in = phase.phase->peer_in;
  const PeerMap& out = phase.phase->peer_out;
  if (phase.receives) {
    if (in.is_group() ? phase.phase->per_member && is_alone(in, space)
                      : peer_of(in, space, x, k) < 0) {
      return false;
    }
  }
  if (!phase.sends) return true;
  if (!out.is_group()) return peer_of(out, space, x, k) >= 0;
  return !is_alone(out, space) || (phase.phase->action & (action_recv | action_copy)) != 0;
}

ActivePhases::ActivePhases(const std::vector<FlatPhase>& flat,
                           const std::vector<std::size_t>& phases) {
  constexpr std::size_t most_compared = 16;  // more that differ are not worth the search
  for (const std::size_t f : phases) {
    const Active& asked = flat[f].phase->active;
    std::size_t i = questions_.size() < most_compared ? 0 : questions_.size();
    while (i < questions_.size() && !(*questions_[i] == asked)) ++i;
    if (i == questions_.size()) questions_.push_back(&asked);
    question_of_.push_back(i);
  }
  answers_.resize(questions_.size());
}

void ActivePhases::look_at(const RankSpace& space, std::int32_t x) {
  std::array<std::optional<TreePosition>, 2> position;  // in either tree: many ask for its shape
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    const Active& asked = *questions_[i];
    if (asked.kind == Active::Kind::tree_shape) {
      auto& known = position[asked.mirrored ? 1 : 0];
      if (!known) known = tree_position(space, x, asked.mirrored);
      answers_[i] = has_shape(asked, *known);
    } else {
      answers_[i] = is_active(asked, space, x);
    }
  }
}

std::vector<std::int32_t> senders_of(const FlatPhase& phase, const RankSpace& space, std::int32_t x,
                                     std::int32_t k) {
  if (!phase.receives) return {};
  return peers(phase.phase->peer_in, space, x, k);
}

std::vector<std::int32_t> receivers_of(const FlatPhase& phase, const RankSpace& space,
                                       std::int32_t x, std::int32_t k) {
  if (!phase.sends) return {};
  return peers(phase.phase->peer_out, space, x, k);
}

Awaited awaited_by(const Phase& phase, std::int32_t x) {
  if (!phase.after) return {};
  return {phase.after[2 * x], phase.after[2 * x + 1]};
}

CostBlock::CostBlock(std::size_t positions)
    : lane(positions), port(positions), latency(positions), credit(positions) {}

void CostBlock::fill(const StepCosts& costs, const FlatPhase& phase, std::int32_t k) {
  costs.fill(phase.stage, phase.group, phase.index, k, rows());
}

}  // namespace fabricast
