#include "emulator/schedule/lowered.hpp"

#include <algorithm>
#include <utility>

#include "emulator/base/contracts.hpp"

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
  return part;
}

// The same with the place where the phase stores its value as operand.
Phase of_stored(Phase part) {
  part.source = part.target;
  if (part.has_target_chunk()) part.chunk = part.target_chunk;
  return part;
}

class Lowering {
 public:
  Lowering(const Phase& phase, const RankSpace& space) : phase_(phase), space_(space) {}
  std::vector<Phase> run();

 private:
  std::int32_t others(const PeerMap& group) const { return space_.radix(group.digit) - 1; }
  void gather();
  void reduce();
  void send(const Phase& sent);

  const Phase& phase_;
  const RankSpace& space_;
  std::vector<Phase> parts_;
};

// Receives come from the members downwards of the own digit, sends go upwards: nobody is served
// first by all.
std::vector<Phase> Lowering::run() {
  const bool sends = (phase_.action & action_send) != 0;
  const bool receives = (phase_.action & action_recv) != 0;
  Phase sent = part_of(phase_, action_send, {}, phase_.peer_out);
  if (phase_.peer_in.is_group() && phase_.per_member) {
    FABRICAST_EXPECT(!sends, "a gathering receive keeps what it gets");
    gather();
  } else if (phase_.peer_in.is_group()) {
    FABRICAST_EXPECT((phase_.action & action_copy) != 0, "a reducing group receive stores the sum");
    reduce();
    sent = of_stored(std::move(sent));
  } else if ((phase_.action & (action_recv | action_copy)) != 0) {
    Phase first = part_of(phase_, phase_.action & ~unsigned{action_send}, phase_.peer_in, {});
    first.per_member = false;
    parts_.push_back(std::move(first));
    if (receives) sent = of_stored(std::move(sent));
  }
  if (sends) send(sent);
  return std::move(parts_);
}

void Lowering::gather() {
  const unsigned stores = action_recv | action_copy;
  for (std::int32_t i = others(phase_.peer_in); i >= 1; --i) {
    parts_.push_back(part_of(phase_, stores, member(phase_.peer_in, i), {}));
  }
}

void Lowering::reduce() {
  const unsigned adds = action_recv | action_reduce | action_copy;
  Phase part = part_of(phase_, adds, {}, {});
  for (std::int32_t i = others(phase_.peer_in); i >= 1; --i) {
    part.peer_in = member(phase_.peer_in, i);
    parts_.push_back(part);
    part = of_stored(std::move(part));
  }
  if (others(phase_.peer_in) == 0) parts_.push_back(part_of(phase_, action_copy, {}, {}));
}

void Lowering::send(const Phase& sent) {
  if (!sent.peer_out.is_group()) {
    parts_.push_back(sent);
    parts_.back().per_member = false;
    return;
  }
  for (std::int32_t i = 1; i <= others(sent.peer_out); ++i) {
    parts_.push_back(part_of(sent, action_send, {}, member(sent.peer_out, i)));
  }
}

template <class Predicate>
bool any_phase(const Stage& stage, const Predicate& holds) {
  return std::any_of(stage.groups.begin(), stage.groups.end(), [&](const PhaseGroup& group) {
    return std::any_of(group.phases.begin(), group.phases.end(), holds);
  });
}

}  // namespace

bool has_groups(const Phase& phase) {
  return phase.peer_in.is_group() || phase.peer_out.is_group();
}

bool has_groups(const Stage& stage) {
  return any_phase(stage, [](const Phase& phase) { return has_groups(phase); });
}

bool has_groups(const Schedule& schedule) {
  return std::any_of(schedule.stages.begin(), schedule.stages.end(),
                     [](const Stage& stage) { return has_groups(stage); });
}

bool is_switched(const Schedule& schedule) {
  return std::any_of(schedule.stages.begin(), schedule.stages.end(), [](const Stage& stage) {
    return any_phase(stage, [](const Phase& phase) {
      const auto in_domain = [](const PeerMap& map) { return map.is_switched() && !map.network; };
      return in_domain(phase.peer_in) || in_domain(phase.peer_out);
    });
  });
}

std::vector<Phase> lowered(const Phase& phase, const RankSpace& space) {
  if (!has_groups(phase)) return {phase};
  return Lowering(phase, space).run();
}

Schedule lowered(const Schedule& schedule) {
  Schedule result = schedule;
  for (Stage& stage : result.stages) {
    for (PhaseGroup& group : stage.groups) {
      std::vector<Phase> phases;
      for (const Phase& phase : group.phases) {
        for (Phase& part : lowered(phase, schedule.space)) phases.push_back(std::move(part));
      }
      group.phases = std::move(phases);
    }
  }
  return result;
}

}  // namespace fabricast
