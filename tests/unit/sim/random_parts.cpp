#include "tests/unit/sim/random_parts.hpp"

#include <numeric>
#include <utility>
#include <vector>

#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

std::uint8_t any_role(Schedule& schedule, Draw& draw) {
  return static_cast<std::uint8_t>(draw.between(0, schedule.roles - 1));
}

std::uint8_t any_fifo(Draw& draw) { return static_cast<std::uint8_t>(draw.between(3, 5)); }

}  // namespace

void add_in_switch(Schedule& schedule, Draw& draw) {
  const std::int32_t digit = draw.between(0, schedule.space.digits() - 1);
  const PeerMap up = PeerMap::group(digit, 6);
  const PeerMap down = PeerMap::group(digit, 7);
  Phase scatter = plain_phase(action_send, any_role(schedule, draw), {}, up);
  scatter.per_member = draw.chance(50);
  Phase turn = plain_phase(recv_reduce_store, any_role(schedule, draw), up, {});
  turn.per_member = false;
  Phase last = plain_phase(recv_store, any_role(schedule, draw), down, {});
  last.per_member = draw.chance(50);
  PhaseGroup group{draw.chance(50) ? StageOrder::rounds : StageOrder::dataflow, {}};
  group.phases.push_back(scatter);
  if (draw.chance(60)) {
    turn.action |= action_send;
    turn.peer_out = down;
    group.phases.push_back(turn);
    group.phases.push_back(last);
  } else if (draw.chance(50)) {
    turn.per_member = true;
    turn.action = recv_store;
    group.phases.push_back(turn);
  } else {
    // A ring along the other digits, or all, on the way.
    const PeerMap next = PeerMap::linear(0, 1);
    turn.action = recv_reduce_forward;
    turn.peer_out = next;
    group.phases.push_back(turn);
    group.phases.push_back(plain_phase(recv_store, turn.role, PeerMap::linear(0, -1), {}));
  }
  if (draw.chance(20)) std::swap(group.phases.front(), group.phases.back());
  schedule.stages.push_back({"in_switch", draw.between(1, 14), {std::move(group)}});
}

void add_imported(Schedule& schedule, Draw& draw) {
  const std::int32_t p = schedule.positions();
  const auto size = static_cast<std::size_t>(p);
  const std::int32_t steps = draw.between(1, 6);
  for (std::int32_t s = 0; s < steps; ++s) {
    // A random permutation: x sends to to[x], and receives from the one that sends to it.
    std::vector<std::int32_t> to(size), from(size), active(size);
    std::iota(to.begin(), to.end(), 0);
    for (std::size_t i = size; i-- > 1;) {
      std::swap(to[i], to[static_cast<std::size_t>(draw.between(0, static_cast<int>(i)))]);
    }
    for (std::size_t x = 0; x < size; ++x) from[static_cast<std::size_t>(to[x])] = static_cast<int>(x);
    for (std::size_t x = 0; x < size; ++x) active[x] = draw.chance(80) ? 1 : 0;
    std::vector<std::int32_t> receiving(size);
    for (std::size_t x = 0; x < size; ++x) receiving[x] = active[static_cast<std::size_t>(from[x])];
    const std::uint8_t fifo = any_fifo(draw);
    const Phase send =
        plain_phase(action_send, any_role(schedule, draw), {},
                    PeerMap::from_table(MapTable(to), fifo), Active::from_table(MapTable(active)));
    const Phase receive =
        plain_phase(recv_store, any_role(schedule, draw),
                    PeerMap::from_table(MapTable(from), fifo), {},
                    Active::from_table(MapTable(receiving)));
    PhaseGroup group{StageOrder::dataflow, {send, receive}};
    if (draw.chance(15)) group.phases.push_back(plain_phase(action_none, send.role, {}, {}));
    schedule.stages.push_back(
        {"imported", draw.chance(80) ? 1 : draw.between(2, 20), {std::move(group)}});
  }
}

void add_root(Schedule& schedule, Draw& draw) {
  const std::int32_t p = schedule.positions();
  if (p < 2) return;
  const std::uint8_t role = any_role(schedule, draw);
  const bool collects = draw.chance(50);
  const PeerMap others = PeerMap::absolute(1, 1);
  const PeerMap root = PeerMap::absolute(0, 0);
  const Phase at_root = collects ? plain_phase(recv_store, role, others, {}, Active::range(0, 1))
                                 : plain_phase(action_send, role, {}, others, Active::range(0, 1));
  const Phase elsewhere = collects ? plain_phase(action_send, role, {}, root, Active::range(1, p))
                                   : plain_phase(recv_store, role, root, {}, Active::range(1, p));
  const Stage here{"root", p - 1, {PhaseGroup{StageOrder::rounds, {at_root}}}};
  const Stage there{"others", 1, {PhaseGroup{StageOrder::rounds, {elsewhere}}}};
  schedule.stages.push_back(collects ? there : here);
  schedule.stages.push_back(collects ? here : there);
}

void add_waiting(Schedule& schedule, Draw& draw) {
  const auto p = static_cast<std::size_t>(schedule.positions());
  const auto stages = static_cast<std::int32_t>(schedule.stages.size());
  for (std::int32_t s = 0; s < stages; ++s) {
    for (PhaseGroup& group : schedule.stages[static_cast<std::size_t>(s)].groups) {
      for (Phase& phase : group.phases) {
        if (!draw.chance(40)) continue;
        std::vector<std::int32_t> after(2 * p, -1);
        for (std::size_t x = 0; x < p; ++x) {
          if (draw.chance(30)) continue;
          // Mostly something earlier; now and then what cannot be, in this loop or at all.
          after[2 * x] = draw.between(0, schedule.roles - 1);
          after[2 * x + 1] = draw.chance(3) ? draw.between(0, stages - 1) : draw.between(-1, s - 1);
        }
        phase.after = MapTable(std::move(after));
      }
    }
  }
}

}  // namespace fabricast
