#include "emulator/cost/lowered.hpp"

#include <algorithm>
#include <utility>

namespace fabricast {
namespace {

// To the i-th member upwards of the own digit.
PeerMap member(const PeerMap& group, std::int32_t i) {
  PeerMap map = PeerMap::on_digit(group.digit, 0, i);
  map.fifo = group.fifo;
  return map;
}

Phase part_of(const Phase& phase, unsigned action, PeerMap in, PeerMap out) {
  Phase part = phase;
  part.action = static_cast<std::uint8_t>(action);
  part.peer_in = std::move(in);
  part.peer_out = std::move(out);
  part.per_member = false;
  return part;
}

// Receives come from the members downwards of the own digit, sends go upwards, as in expand.cpp.
void add_lowered(const Phase& phase, const RankSpace& space, std::vector<Phase>& phases) {
  const PeerMap& in = phase.peer_in;
  const PeerMap& out = phase.peer_out;
  if (!in.is_group() && !out.is_group()) {
    phases.push_back(phase);
    return;
  }
  const auto others = [&space](const PeerMap& group) { return space.radix(group.digit) - 1; };
  if (in.is_group() && phase.per_member) {
    for (std::int32_t i = others(in); i >= 1; --i) {
      phases.push_back(part_of(phase, action_recv | action_copy, member(in, i), {}));
    }
    return;
  }
  if (in.is_group()) {
    for (std::int32_t i = others(in); i >= 1; --i) {
      phases.push_back(
          part_of(phase, action_recv | action_reduce | action_copy, member(in, i), {}));
    }
    if (others(in) == 0) phases.push_back(part_of(phase, action_copy, {}, {}));
  } else if ((phase.action & (action_recv | action_copy)) != 0) {
    phases.push_back(part_of(phase, phase.action & ~unsigned{action_send}, in, {}));
  }
  if ((phase.action & action_send) == 0) return;
  if (!out.is_group()) {
    phases.push_back(part_of(phase, action_send, {}, out));
    return;
  }
  for (std::int32_t i = 1; i <= others(out); ++i) {
    phases.push_back(part_of(phase, action_send, {}, member(out, i)));
  }
}

}  // namespace

bool has_groups(const Stage& stage) {
  return std::any_of(stage.groups.begin(), stage.groups.end(), [](const PhaseGroup& group) {
    return std::any_of(group.phases.begin(), group.phases.end(), [](const Phase& phase) {
      return phase.peer_in.is_group() || phase.peer_out.is_group();
    });
  });
}

bool has_groups(const Schedule& schedule) {
  return std::any_of(schedule.stages.begin(), schedule.stages.end(),
                     [](const Stage& stage) { return has_groups(stage); });
}

Schedule lowered(const Schedule& schedule) {
  Schedule result = schedule;
  for (Stage& stage : result.stages) {
    for (PhaseGroup& group : stage.groups) {
      std::vector<Phase> phases;
      for (const Phase& phase : group.phases) add_lowered(phase, schedule.space, phases);
      group.phases = std::move(phases);
    }
  }
  return result;
}

}  // namespace fabricast
