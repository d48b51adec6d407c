#include "emulator/flow/schedule_flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

bool is_group(const FlatPhase& phase) {
  return (phase.receives && phase.phase->peer_in.is_group()) ||
         (phase.sends && phase.phase->peer_out.is_group());
}

void refuse_groups(const Schedule& schedule, const std::vector<FlatPhase>& phases) {
  if (std::any_of(phases.begin(), phases.end(), is_group)) {
    throw UsageError(
        fmt::format("{} sends to all of a group at once, which are no flows between two ranks; "
                    "use the sweep",
                    schedule.algorithm));
  }
}

}  // namespace

ScheduleFlows::ScheduleFlows(const FlowNetwork& network, std::vector<FlowProgram> programs)
    : network_(network) {
  for (FlowProgram& given : programs) {
    Program program;
    program.phases = flatten(*given.schedule);
    if (!given.alike) refuse_groups(*given.schedule, program.phases);
    FABRICAST_EXPECT(given.ranks.size() == static_cast<std::size_t>(given.schedule->positions()),
                     "a rank at each position");
    for (const FlatPhase& phase : program.phases) {
      const auto& stage = given.schedule->stages[static_cast<std::size_t>(phase.stage)];
      program.costs.emplace_back(static_cast<std::size_t>(phase.varies ? stage.repeat : 1));
      program.dependences = program.dependences || phase.phase->after;
    }
    program.stages.assign(given.schedule->stages.size(),
                          {std::numeric_limits<std::int64_t>::max(), 0});
    program.given = std::move(given);
    if (program.given.alike) {
      for (const FlatPhase& phase : program.phases) {
        if (phase.receives) add_groups(program, phase.phase->peer_in);
        if (phase.sends) add_groups(program, phase.phase->peer_out);
      }
    }
    programs_.push_back(std::move(program));
    ends_.push_back(programs_.back().given.start_ps);
    add_lanes(static_cast<std::int32_t>(programs_.size()) - 1);
  }
}

void ScheduleFlows::add_lanes(std::int32_t number) {
  Program& program = programs_[static_cast<std::size_t>(number)];
  const Schedule& schedule = *program.given.schedule;
  program.first_lane = static_cast<std::int32_t>(lanes_.size());
  for (std::int32_t x = 0; x < schedule.positions(); ++x) {
    for (std::int32_t role = 0; role < schedule.roles; ++role) {
      Lane lane;
      lane.program = number;
      lane.position = x;
      lane.role = role;
      lane.free_ps = lane.port_free_ps = program.given.start_ps;
      find_step(lane, false);
      lanes_.push_back(std::move(lane));
    }
  }
}

// The order of a lane (semantics 2.2).
void ScheduleFlows::find_step(Lane& lane, bool advance) const {
  const Program& program = programs_[static_cast<std::size_t>(lane.program)];
  const Schedule& schedule = *program.given.schedule;
  Step step = lane.next;
  if (advance) ++step.phase;
  while (step.loop < program.given.loops) {
    const std::int32_t repeat = schedule.stages[static_cast<std::size_t>(step.stage)].repeat;
    if (step.repetition >= repeat) step.phase = program.phases.size();  // a stage without any
    for (; step.phase < program.phases.size(); ++step.phase) {
      const FlatPhase& phase = program.phases[step.phase];
      if (phase.stage != step.stage || phase.phase->role != lane.role) continue;
      if (!executes(phase, schedule.space, lane.position, step.repetition)) continue;
      lane.next = step;
      return;
    }
    step.phase = 0;
    if (++step.slice < program.given.slices) continue;
    step.slice = 0;
    if (++step.repetition < repeat) continue;
    step.repetition = 0;
    if (++step.stage < static_cast<std::int32_t>(schedule.stages.size())) continue;
    step.stage = 0;
    ++step.loop;
  }
  lane.done = true;
}

const CostBlock& ScheduleFlows::costs_of(Program& program, const Step& step) {
  const FlatPhase& phase = program.phases[step.phase];
  CostBlock& block =
      program.costs[step.phase][static_cast<std::size_t>(phase.varies ? step.repetition : 0)];
  if (block.lane.empty()) {
    block = CostBlock(static_cast<std::size_t>(program.given.schedule->positions()));
    block.fill(*program.given.costs, phase, step.repetition);
  }
  return block;
}

std::int32_t ScheduleFlows::connection_of(std::int32_t program, std::int32_t from, std::int32_t to,
                                          std::uint8_t fifo) {
  FABRICAST_EXPECT(program < (1 << 12) && from < (1 << 22) && to < (1 << 22), "ids fit the key");
  const std::uint64_t key = (static_cast<std::uint64_t>(program) << 52) |
                            (static_cast<std::uint64_t>(from) << 30) |
                            (static_cast<std::uint64_t>(to) << 8) | fifo;
  const auto [found, is_new] =
      connection_index_.try_emplace(key, static_cast<std::int32_t>(connections_.size()));
  if (is_new) connections_.emplace_back();
  return found->second;
}

void ScheduleFlows::add_groups(Program& program, const PeerMap& map) {
  FABRICAST_EXPECT(map.is_group(), "members that are alike talk to their group");
  for (const Groups& known : program.groups) {
    if (known.fifo != map.fifo) continue;
    FABRICAST_EXPECT(known.digit == map.digit, "one kind of group on a fifo");
    return;
  }
  const Schedule& schedule = *program.given.schedule;
  const RankSpace& space = schedule.space;
  Groups made{map.fifo, map.digit, {}};
  for (std::int32_t x = 0; x < space.size(); ++x) {
    const std::int32_t digit = space.digit_of(x, map.digit);
    if (space.radix(map.digit) < 2) {
      made.of.push_back(-1);
    } else if (digit == 0) {
      made.of.push_back(static_cast<std::int32_t>(groups_.size()));
      groups_.emplace_back(space.radix(map.digit), schedule.fifo_depth);
    } else {  // of the member that came first
      made.of.push_back(made.of[static_cast<std::size_t>(x - digit * space.weight(map.digit))]);
    }
  }
  program.groups.push_back(std::move(made));
}

ScheduleFlows::Way ScheduleFlows::way_of(std::int32_t number, const PeerMap& map, std::int32_t x,
                                         std::int32_t k, bool receives) {
  const Program& program = programs_[static_cast<std::size_t>(number)];
  const RankSpace& space = program.given.schedule->space;
  Way way;
  if (!program.given.alike) {
    way.peer = peer_of(map, space, x, k);
    way.connection = receives ? connection_of(number, way.peer, x, map.fifo)
                              : connection_of(number, x, way.peer, map.fifo);
    return way;
  }
  const auto groups = std::find_if(program.groups.begin(), program.groups.end(),
                                   [&](const Groups& of) { return of.fifo == map.fifo; });
  way.group = groups->of[static_cast<std::size_t>(x)];
  way.member = space.digit_of(x, map.digit);
  const std::int32_t next = (way.member + 1) % space.radix(map.digit);
  way.peer = x + (next - way.member) * space.weight(map.digit);
  return way;
}

std::optional<std::int64_t> ScheduleFlows::messages_at(const Way& way, std::int32_t lane) {
  if (way.group >= 0) return groups_[static_cast<std::size_t>(way.group)].ready(way.member, lane);
  if (way.connection < 0) return 0;
  Connection& connection = connections_[static_cast<std::size_t>(way.connection)];
  connection.receiving_lane = lane;
  if (connection.ready.empty()) return std::nullopt;
  return connection.ready.front();
}

std::optional<std::int64_t> ScheduleFlows::slots_at(const Way& way, std::int32_t lane,
                                                    std::int64_t depth) {
  if (way.group >= 0) return groups_[static_cast<std::size_t>(way.group)].slots(way.member, lane);
  if (way.connection < 0) return 0;
  Connection& connection = connections_[static_cast<std::size_t>(way.connection)];
  connection.sending_lane = lane;
  if (connection.slots < depth) return 0;
  if (connection.credits.empty()) return std::nullopt;
  return connection.credits.front();
}

void ScheduleFlows::take_messages(const Way& way, std::int64_t credit_ps) {
  if (way.group >= 0) {
    groups_[static_cast<std::size_t>(way.group)].take(way.member, credit_ps, runnable_);
  } else if (way.connection >= 0) {
    Connection& connection = connections_[static_cast<std::size_t>(way.connection)];
    connection.ready.pop_front();
    connection.credits.push_back(credit_ps);
    wake(connection.sending_lane);
  }
}

void ScheduleFlows::take_slots(const Way& way, std::int64_t depth) {
  if (way.group >= 0) {
    groups_[static_cast<std::size_t>(way.group)].send(way.member);
  } else if (way.connection >= 0) {
    Connection& connection = connections_[static_cast<std::size_t>(way.connection)];
    if (connection.slots == depth) {
      connection.credits.pop_front();
    } else {
      ++connection.slots;
    }
  }
}

// Semantics 2.7: the end of all that the awaited lane has to do before; nothing while it has not.
std::optional<std::int64_t> ScheduleFlows::end_of_awaited(const Program& program, const Lane& lane,
                                                          const Awaited& awaited) const {
  const std::int32_t roles = program.given.schedule->roles;
  const Lane& other =
      lanes_[static_cast<std::size_t>(program.first_lane + lane.position * roles + awaited.role)];
  const auto until = std::pair(lane.next.loop, awaited.stage);
  if (!other.done && std::pair(other.next.loop, other.next.stage) <= until) return std::nullopt;
  const auto after = std::upper_bound(
      other.passed.begin(), other.passed.end(), until,
      [](const auto& at, const Passed& p) { return at < std::pair(p.loop, p.stage); });
  return after == other.passed.begin() ? program.given.start_ps : std::prev(after)->end_ps;
}

// To the lane's next step; who waits for the stage that this ends may go on.
void ScheduleFlows::advance(Lane& lane) {
  const Program& program = programs_[static_cast<std::size_t>(lane.program)];
  const Step before = lane.next;
  find_step(lane, true);
  if (!program.dependences) return;
  if (!lane.done && lane.next.loop == before.loop && lane.next.stage == before.stage) return;
  lane.passed.push_back({before.loop, before.stage, lane.free_ps});
  const std::int32_t roles = program.given.schedule->roles;
  for (std::int32_t role = 0; role < roles; ++role) {
    if (role != lane.role) wake(program.first_lane + lane.position * roles + role);
  }
}

void ScheduleFlows::wake(std::int32_t lane) {
  if (lane >= 0) runnable_.push_back(lane);
}

void ScheduleFlows::proceed(FlowSimulator& simulator) {
  while (!runnable_.empty()) {
    const std::int32_t lane = runnable_.back();
    runnable_.pop_back();
    while (take_step(lane, simulator)) {
    }
  }
}

// Semantics 3.1, 3.2, 3.4, 3.5. False when the step waits for a lane, a message or a slot that is
// not known yet: whoever provides it wakes the lane.
bool ScheduleFlows::take_step(std::int32_t number, FlowSimulator& simulator) {
  Lane& lane = lanes_[static_cast<std::size_t>(number)];
  if (lane.done) return false;
  Program& program = programs_[static_cast<std::size_t>(lane.program)];
  const Schedule& schedule = *program.given.schedule;
  const FlatPhase& phase = program.phases[lane.next.phase];
  const std::int32_t x = lane.position;
  const std::int32_t k = lane.next.repetition;
  std::int64_t start = lane.free_ps;
  if (const Awaited awaited = awaited_by(*phase.phase, x); awaited.role >= 0) {
    const auto end = end_of_awaited(program, lane, awaited);
    if (!end) return false;
    start = std::max(start, *end);
  }
  const Way in = phase.receives ? way_of(lane.program, phase.phase->peer_in, x, k, true) : Way{};
  const Way out = phase.sends ? way_of(lane.program, phase.phase->peer_out, x, k, false) : Way{};
  const auto arrived = messages_at(in, number);
  if (!arrived) return false;
  const auto free = slots_at(out, number, schedule.fifo_depth);
  if (!free) return false;
  start = std::max({start, *arrived, *free});
  const CostBlock& costs = costs_of(program, lane.next);
  const auto at = static_cast<std::size_t>(x);
  const std::int64_t end = start + costs.lane[at];
  lane.free_ps = end;
  std::int64_t& last = ends_[static_cast<std::size_t>(lane.program)];
  last = std::max(last, end);
  StageSpan& span = program.stages[static_cast<std::size_t>(lane.next.stage)];
  span.start_ps = std::min(span.start_ps, start);
  span.end_ps = std::max(span.end_ps, end);
  take_messages(in, end + costs.credit[at]);
  take_slots(out, schedule.fifo_depth);
  if (out.connection >= 0 || out.group >= 0) {
    lane.port.push_back({out, start, end, costs.latency[at],
                         program.given.bytes(phase.stage, phase.group, phase.index)});
    if (!lane.port_busy) send_next(number, simulator);
  }
  advance(lane);
  return true;
}

ScheduleFlows::Ends ScheduleFlows::ends_of(const Lane& lane) const {
  const FlowProgram& given = programs_[static_cast<std::size_t>(lane.program)].given;
  return {given.ranks[static_cast<std::size_t>(lane.position)],
          given.ranks[static_cast<std::size_t>(lane.port.front().way.peer)], given.channel};
}

void ScheduleFlows::send_next(std::int32_t number, FlowSimulator& simulator) {
  Lane& lane = lanes_[static_cast<std::size_t>(number)];
  const Message& message = lane.port.front();
  const Ends ends = ends_of(lane);
  lane.port_busy = true;
  const auto living = network_.living_path(ends.from, ends.to, ends.channel, simulator.solver());
  simulator.start({number, std::max(lane.port_free_ps, message.step_start), message.bytes, 1,
                   living ? *living : network_.path(ends.from, ends.to, ends.channel)});
}

// A flow's tag is its lane: a port sends one message at a time. The rest of semantics 3.3.
void ScheduleFlows::ended(std::int64_t tag, std::int64_t now_ps, FlowSimulator& simulator) {
  const auto number = static_cast<std::int32_t>(tag);
  Lane& lane = lanes_[static_cast<std::size_t>(tag)];
  const Message message = lane.port.front();
  lane.port.pop_front();
  lane.port_busy = false;
  lane.port_free_ps = now_ps;
  // The end of a flow is known when it is there: what is taken up line by line is not, here.
  const std::int64_t ready = std::max(now_ps, std::max(message.step_end, now_ps) + message.latency);
  if (message.way.group >= 0) {
    auto& group = groups_[static_cast<std::size_t>(message.way.group)];
    group.arrive(message.way.member, ready, runnable_);
  } else {
    auto& connection = connections_[static_cast<std::size_t>(message.way.connection)];
    connection.ready.push_back(ready);
    wake(connection.receiving_lane);
  }
  if (!lane.port.empty()) send_next(number, simulator);
  proceed(simulator);
}

std::optional<FlowPath> ScheduleFlows::detour(std::int64_t tag, std::uint32_t,
                                              const FlowSimulator& simulator) {
  const Ends ends = ends_of(lanes_[static_cast<std::size_t>(tag)]);
  return network_.living_path(ends.from, ends.to, ends.channel, simulator.solver());
}

std::int64_t ScheduleFlows::state_bytes() const {
  const auto of = [](const auto& items) {
    return static_cast<std::int64_t>(items.capacity() * sizeof(items[0]));
  };
  std::int64_t bytes = of(programs_) + of(lanes_) + of(connections_) + of(groups_) + of(runnable_);
  // A node of the index has its key, value and link, and about a bucket.
  bytes += static_cast<std::int64_t>(connection_index_.size()) * 32;
  for (const Lane& lane : lanes_) bytes += lane.port.bytes() + of(lane.passed);
  for (const Connection& at : connections_) bytes += at.ready.bytes() + at.credits.bytes();
  for (const GroupFifo& group : groups_) bytes += group.bytes();
  for (const Program& program : programs_) {
    bytes += of(program.phases) + of(program.stages) + of(program.costs) + of(program.given.ranks);
    for (const Groups& groups : program.groups) bytes += of(groups.of);
    for (const auto& blocks : program.costs) {
      bytes += of(blocks);
      for (const CostBlock& block : blocks) {
        bytes += of(block.lane) + of(block.port) + of(block.latency) + of(block.credit);
      }
    }
  }
  return bytes;
}

void ScheduleFlows::run(FlowSimulator& simulator) {
  for (std::size_t lane = lanes_.size(); lane-- > 0;) wake(static_cast<std::int32_t>(lane));
  proceed(simulator);
  simulator.run(*this);
  expect_done();
}

void ScheduleFlows::expect_done() const {
  for (const Lane& lane : lanes_) {
    if (lane.done) continue;
    const Schedule& schedule = *programs_[static_cast<std::size_t>(lane.program)].given.schedule;
    throw UsageError(fmt::format(
        "the schedule deadlocks: lane (position {}, role {}) waits for ever at stage '{}', loop "
        "{}, "
        "repetition {}, slice {} (fifo_depth {}); use more slots or fewer slices",
        lane.position, lane.role, schedule.stages[static_cast<std::size_t>(lane.next.stage)].name,
        lane.next.loop, lane.next.repetition, lane.next.slice, schedule.fifo_depth));
  }
}

}  // namespace fabricast
