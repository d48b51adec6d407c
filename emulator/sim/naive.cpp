#include "emulator/sim/naive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "emulator/base/error.hpp"
#include "emulator/sim/flat_phases.hpp"

namespace fabricast {
namespace {

struct NaiveStep {
  std::int32_t lane = 0;
  std::int32_t flat = 0;  // index into flatten()
  std::int32_t loop = 0, repetition = 0, slice = 0;
  std::int64_t lane_cost = 0, port_cost = 0, latency = 0, credit = 0;
  // What it waits for: indices of steps, -1 for nothing.
  std::int64_t previous = -1;                // same lane
  std::int64_t awaited = -1;                 // of another lane (semantics 2.7)
  std::vector<std::int64_t> senders;         // of the messages it receives
  std::vector<std::int64_t> slot_releasers;  // receivers of messages n-D where it sends
  bool sends = false;
  bool never = false;  // waits for a step that does not exist
  std::int64_t start = 0, end = 0, port_end = 0, ready = 0;  // results
};

// One connection: its sends and receives in lane order, hence in FIFO order.
struct Connection {
  std::vector<std::int64_t> sends, receives;
  std::int32_t sending_lane = -1, receiving_lane = -1;
};

class NaiveEvaluation {
 public:
  NaiveEvaluation(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                  std::int32_t slices)
      : schedule_(schedule), flat_(flatten(schedule)), loops_(loops), slices_(slices) {
    fill_costs(costs);
    const std::int32_t lanes = schedule.positions() * schedule.roles;
    for (std::int32_t lane = 0; lane < lanes; ++lane) {
      lane_begin_.push_back(static_cast<std::int64_t>(steps_.size()));
      expand_lane(lane);
    }
    lane_begin_.push_back(static_cast<std::int64_t>(steps_.size()));
    pair_messages();
    find_awaited();
  }

  void run();
  NaiveTimeline timeline() const;

 private:
  void fill_costs(const StepCosts& costs);
  void expand_lane(std::int32_t lane);
  void add_step(std::int32_t lane, std::int32_t flat, std::int32_t loop, std::int32_t k,
                std::int32_t slice);
  void pair_messages();
  void find_awaited();
  std::vector<std::int64_t> waits_for(const NaiveStep& step) const;
  void evaluate(NaiveStep& step);
  std::string describe(const NaiveStep& step) const;
  LoggedStep logged(const NaiveStep& step) const;

  const Schedule& schedule_;
  std::vector<FlatPhase> flat_;
  std::int32_t loops_, slices_;
  std::vector<std::vector<CostBlock>> costs_;  // [flat phase][repetition, or 0]
  std::vector<NaiveStep> steps_;
  std::vector<std::int64_t> lane_begin_;  // first step of each lane, and the end
  // By (source, destination, fifo).
  std::map<std::tuple<std::int32_t, std::int32_t, std::uint8_t>, Connection> connections_;
};

void NaiveEvaluation::fill_costs(const StepCosts& costs) {
  for (const FlatPhase& phase : flat_) {
    const std::int32_t repeat = schedule_.stages[static_cast<std::size_t>(phase.stage)].repeat;
    auto& blocks = costs_.emplace_back();
    for (std::int32_t k = 0; k < (phase.varies ? repeat : 1); ++k) {
      blocks.emplace_back(static_cast<std::size_t>(schedule_.positions()));
      blocks.back().fill(costs, phase, k);
    }
  }
}

void NaiveEvaluation::expand_lane(std::int32_t lane) {
  const std::int32_t x = lane / schedule_.roles;
  for (std::int32_t loop = 0; loop < loops_; ++loop) {
    for (std::size_t s = 0; s < schedule_.stages.size(); ++s) {
      for (std::int32_t k = 0; k < schedule_.stages[s].repeat; ++k) {
        for (std::int32_t slice = 0; slice < slices_; ++slice) {
          for (std::size_t f = 0; f < flat_.size(); ++f) {
            if (flat_[f].stage != static_cast<int>(s)) continue;
            if (flat_[f].phase->role != lane % schedule_.roles) continue;
            if (!executes(flat_[f], schedule_.space, x, k)) continue;
            add_step(lane, static_cast<std::int32_t>(f), loop, k, slice);
          }
        }
      }
    }
  }
}

void NaiveEvaluation::add_step(std::int32_t lane, std::int32_t flat, std::int32_t loop,
                               std::int32_t k, std::int32_t slice) {
  const std::int32_t x = lane / schedule_.roles;
  const FlatPhase& phase = flat_[static_cast<std::size_t>(flat)];
  const CostBlock& cost =
      costs_[static_cast<std::size_t>(flat)][static_cast<std::size_t>(phase.varies ? k : 0)];
  const auto at = static_cast<std::size_t>(x);
  NaiveStep step;
  step.lane = lane;
  step.flat = flat;
  step.loop = loop;
  step.repetition = k;
  step.slice = slice;
  step.lane_cost = cost.lane[at];
  step.port_cost = cost.port[at];
  step.latency = cost.latency[at];
  step.credit = cost.credit[at];
  const auto id = static_cast<std::int64_t>(steps_.size());
  if (id > 0 && steps_.back().lane == lane) step.previous = id - 1;
  const auto join = [&](std::vector<std::int64_t>& side, std::int32_t& owner) {
    if (owner >= 0 && owner != lane) {
      throw UsageError(fmt::format(
          "two lanes of position {} use the same end of one connection (their order is not "
          "defined); give them one role",
          x));
    }
    owner = lane;
    side.push_back(id);
  };
  for (const std::int32_t from : senders_of(phase, schedule_.space, x, k)) {
    auto& connection = connections_[{from, x, phase.phase->peer_in.fifo}];
    join(connection.receives, connection.receiving_lane);
  }
  for (const std::int32_t to : receivers_of(phase, schedule_.space, x, k)) {
    auto& connection = connections_[{x, to, phase.phase->peer_out.fifo}];
    join(connection.sends, connection.sending_lane);
    step.sends = true;
  }
  steps_.push_back(step);
}

void NaiveEvaluation::pair_messages() {
  const auto depth = static_cast<std::size_t>(schedule_.fifo_depth);
  for (const auto& [ends, connection] : connections_) {
    for (std::size_t n = 0; n < connection.receives.size(); ++n) {
      NaiveStep& step = steps_[static_cast<std::size_t>(connection.receives[n])];
      if (n < connection.sends.size()) {
        step.senders.push_back(connection.sends[n]);
      } else {
        step.never = true;
      }
    }
    for (std::size_t n = depth; n < connection.sends.size(); ++n) {
      NaiveStep& step = steps_[static_cast<std::size_t>(connection.sends[n])];
      if (n - depth < connection.receives.size()) {
        step.slot_releasers.push_back(connection.receives[n - depth]);
      } else {
        step.never = true;
      }
    }
  }
}

// The last step of the awaited lane up to the end of that stage in the same loop (semantics 2.7).
void NaiveEvaluation::find_awaited() {
  for (NaiveStep& step : steps_) {
    const std::int32_t x = step.lane / schedule_.roles;
    const Awaited awaited = awaited_by(*flat_[static_cast<std::size_t>(step.flat)].phase, x);
    if (awaited.role < 0) continue;
    const auto lane = static_cast<std::size_t>(x * schedule_.roles + awaited.role);
    for (std::int64_t i = lane_begin_[lane]; i < lane_begin_[lane + 1]; ++i) {
      const NaiveStep& other = steps_[static_cast<std::size_t>(i)];
      const int stage = flat_[static_cast<std::size_t>(other.flat)].stage;
      if (other.loop > step.loop || (other.loop == step.loop && stage > awaited.stage)) break;
      step.awaited = i;
    }
  }
}

std::vector<std::int64_t> NaiveEvaluation::waits_for(const NaiveStep& step) const {
  std::vector<std::int64_t> before = step.senders;
  before.insert(before.end(), step.slot_releasers.begin(), step.slot_releasers.end());
  if (step.previous >= 0) before.push_back(step.previous);
  if (step.awaited >= 0) before.push_back(step.awaited);
  return before;
}

// Semantics 3.1 to 3.6, spelled out. A group step has all its messages' senders and all its
// connections' releasers (semantics 3.8).
void NaiveEvaluation::evaluate(NaiveStep& step) {
  const auto at = [&](std::int64_t id) -> const NaiveStep& {
    return steps_[static_cast<std::size_t>(id)];
  };
  std::int64_t port_free = 0;
  // Semantics 3.1: lane free, data ready (semantics 3.4), slot free (semantics 3.5).
  if (step.previous >= 0) {
    step.start = at(step.previous).end;
    port_free = at(step.previous).port_end;
  }
  if (step.awaited >= 0) step.start = std::max(step.start, at(step.awaited).end);
  for (const std::int64_t sender : step.senders) {
    step.start = std::max(step.start, at(sender).ready);
  }
  for (const std::int64_t releaser : step.slot_releasers) {
    step.start = std::max(step.start, at(releaser).end + at(releaser).credit);
  }
  step.end = step.start + step.lane_cost;  // semantics 3.2
  step.port_end = port_free;
  if (step.sends) {  // semantics 3.3
    step.port_end = std::max(port_free, step.start) + step.port_cost;
    step.ready = std::max(step.end, step.port_end) + step.latency;
  }
}

void NaiveEvaluation::run() {
  const std::size_t n = steps_.size();
  std::vector<std::int32_t> waits(n, 0);
  std::vector<std::vector<std::int64_t>> followers(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (const std::int64_t before : waits_for(steps_[i])) {
      ++waits[i];
      followers[static_cast<std::size_t>(before)].push_back(static_cast<std::int64_t>(i));
    }
    if (steps_[i].never) ++waits[i];
  }
  std::vector<std::size_t> runnable;
  for (std::size_t i = 0; i < n; ++i) {
    if (waits[i] == 0) runnable.push_back(i);
  }
  std::size_t done = 0;
  while (!runnable.empty()) {
    const std::size_t i = runnable.back();
    runnable.pop_back();
    evaluate(steps_[i]);
    ++done;
    for (const std::int64_t next : followers[i]) {
      if (--waits[static_cast<std::size_t>(next)] == 0) {
        runnable.push_back(static_cast<std::size_t>(next));
      }
    }
  }
  if (done == n) return;
  for (std::size_t i = 0; i < n; ++i) {
    // The first blocked step of a lane: its predecessor in the lane ran, it did not.
    const bool predecessor_ran =
        steps_[i].previous < 0 || waits[static_cast<std::size_t>(steps_[i].previous)] == 0;
    if (waits[i] > 0 && predecessor_ran) {
      throw UsageError(
          fmt::format("the schedule deadlocks: {} waits for ever (fifo_depth {}, "
                      "slices {}); use more slots or fewer slices",
                      describe(steps_[i]), schedule_.fifo_depth, slices_));
    }
  }
}

std::string NaiveEvaluation::describe(const NaiveStep& step) const {
  const FlatPhase& phase = flat_[static_cast<std::size_t>(step.flat)];
  return fmt::format(
      "lane (position {}, role {}) at stage '{}', loop {}, repetition {}, slice {}, "
      "group {}, phase {}",
      step.lane / schedule_.roles, step.lane % schedule_.roles,
      schedule_.stages[static_cast<std::size_t>(phase.stage)].name, step.loop, step.repetition,
      step.slice, phase.group, phase.index);
}

LoggedStep NaiveEvaluation::logged(const NaiveStep& step) const {
  const auto at = [&](std::int64_t id) -> const NaiveStep& {
    return steps_[static_cast<std::size_t>(id)];
  };
  LoggedStep entry;
  entry.column = step.lane / schedule_.roles;
  entry.role = step.lane % schedule_.roles;
  entry.step = &step - &at(lane_begin_[static_cast<std::size_t>(step.lane)]);
  entry.start_ps = step.start;
  entry.end_ps = step.end;
  entry.ready_ps = step.ready;
  const auto is_start = [&](std::int64_t time) { return time == step.start; };
  if (is_start(0)) {
    entry.bound = StepBound::nothing;
  } else if (step.previous >= 0 && is_start(at(step.previous).end)) {
    entry.bound = StepBound::lane;
  } else if (std::any_of(step.senders.begin(), step.senders.end(),
                         [&](std::int64_t id) { return is_start(at(id).ready); })) {
    entry.bound = StepBound::data;
  } else if (std::any_of(step.slot_releasers.begin(), step.slot_releasers.end(),
                         [&](std::int64_t id) { return is_start(at(id).end + at(id).credit); })) {
    entry.bound = StepBound::slot;
  } else {
    entry.bound = StepBound::other_lane;
  }
  return entry;
}

NaiveTimeline NaiveEvaluation::timeline() const {
  NaiveTimeline result;
  const auto lanes = static_cast<std::size_t>(schedule_.positions() * schedule_.roles);
  std::vector<std::int64_t> lane_sum(lanes, 0), port_sum(lanes, 0);
  std::vector<bool> seen(schedule_.stages.size(), false);
  result.lane_end.assign(lanes, 0);
  result.stages.resize(schedule_.stages.size());
  for (const NaiveStep& step : steps_) {
    const auto lane = static_cast<std::size_t>(step.lane);
    result.makespan = std::max(result.makespan, SimDuration(step.end));
    result.lane_end[lane] = std::max(result.lane_end[lane], step.end);
    lane_sum[lane] += step.lane_cost;
    result.steps.push_back(logged(step));
    if (step.sends) port_sum[lane] += step.port_cost;
    const auto stage = static_cast<std::size_t>(flat_[static_cast<std::size_t>(step.flat)].stage);
    StageSpan& span = result.stages[stage];
    if (step.loop == 0) {
      span.start_ps = seen[stage] ? std::min(span.start_ps, step.start) : step.start;
      seen[stage] = true;
    }
    if (step.loop == loops_ - 1) span.end_ps = std::max(span.end_ps, step.end);
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    result.longest_lane_sum = std::max(result.longest_lane_sum, lane_sum[lane]);
    result.longest_port_sum = std::max(result.longest_port_sum, port_sum[lane]);
  }
  result.messages = static_cast<std::int64_t>(steps_.size());
  for (const auto& [ends, connection] : connections_) {
    result.unreceived += static_cast<std::int64_t>(connection.sends.size()) -
                         static_cast<std::int64_t>(connection.receives.size());
  }
  return result;
}

}  // namespace

NaiveTimeline naive_timeline(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                             std::int32_t slices) {
  if (loops < 1 || slices < 1) throw UsageError("loops and slices must be at least 1");
  NaiveEvaluation evaluation(schedule, costs, loops, slices);
  evaluation.run();
  return evaluation.timeline();
}

SimDuration naive_makespan(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                           std::int32_t slices) {
  return naive_timeline(schedule, costs, loops, slices).makespan;
}

}  // namespace fabricast
