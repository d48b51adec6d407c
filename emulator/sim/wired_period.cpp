#include "emulator/sim/wired_period.hpp"

#include <algorithm>

namespace fabricast {
namespace {

// A port only matters through max(port free, start), and start >= lane free.
std::int64_t effective_port(const WiredState& state, std::size_t clock) {
  return std::max(state.port[clock], state.lane[clock]);
}

// The `width` clocks at `now` are those at `then`, each a delta later.
bool moved(const std::int64_t* now, const std::int64_t* then,
           const std::vector<std::int64_t>& delta_ps) {
  for (std::size_t m = 0; m < delta_ps.size(); ++m) {
    if (now[m] != then[m] + delta_ps[m]) return false;
  }
  return true;
}

}  // namespace

std::int32_t WiredPeriod::window(const WiredProgram& program, std::int32_t slices) {
  return std::max(1, program.depth / slices);
}

bool WiredPeriod::applies(const WiredSegment& segment, std::int32_t window) {
  return !segment.unrolled() && segment.repeat >= 8 * window &&
         std::all_of(segment.wide_steps.begin(), segment.wide_steps.end(),
                     [](const WideStep& step) { return step.mark < 0; });
}

WiredPeriod::WiredPeriod(const WiredProgram& program, const WiredSegment& segment)
    : depth_(program.depth) {
  std::vector<bool> used(program.connections.size(), false);
  for (std::int32_t lane = 0; lane < program.lanes; ++lane) {
    const auto at = static_cast<std::size_t>(lane);
    if (segment.begin[at] < segment.begin[at + 1]) lanes_.push_back(lane);
  }
  for (const WiredStep& step : segment.steps) {
    if (step.in >= 0) used[static_cast<std::size_t>(step.in)] = true;
    if (step.out >= 0) used[static_cast<std::size_t>(step.out)] = true;
  }
  for (const std::int32_t c : segment.wide_connections) used[static_cast<std::size_t>(c)] = true;
  for (std::size_t c = 0; c < used.size(); ++c) {
    if (used[c]) connections_.push_back(static_cast<std::int32_t>(c));
  }
}

std::optional<WiredPeriod::Period> WiredPeriod::observe(const WiredState& state,
                                                        std::int32_t repetitions) {
  if (lanes_.empty()) return std::nullopt;
  if (snapshot_at_ >= 0) {
    const std::size_t first = static_cast<std::size_t>(lanes_.front()) * state.width;
    Period period{repetitions - snapshot_at_, {}};
    for (std::size_t m = 0; m < state.width; ++m) {
      period.delta_ps.push_back(state.lane[first + m] - lane_[m]);
    }
    if (moved_by_one_constant(state, period.delta_ps)) return period;
  }
  if (repetitions >= next_snapshot_) remember(state, repetitions);
  return std::nullopt;
}

bool WiredPeriod::moved_by_one_constant(const WiredState& state, const Deltas& delta_ps) const {
  const std::size_t width = state.width;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t lane = static_cast<std::size_t>(lanes_[i]) * width;
    if (!moved(&state.lane[lane], &lane_[i * width], delta_ps)) return false;
    for (std::size_t m = 0; m < width; ++m) {
      if (effective_port(state, lane + m) != port_[i * width + m] + delta_ps[m]) return false;
    }
  }
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (!queue_moved(state, i, delta_ps)) return false;
  }
  return true;
}

bool WiredPeriod::queue_moved(const WiredState& state, std::size_t index,
                              const Deltas& delta_ps) const {
  const auto connection = static_cast<std::size_t>(connections_[index]);
  const WiredQueue& now = state.queues[connection];
  const WiredQueue& then = queues_[index];
  // Before the first `depth` messages a slot is free at time 0, which does not move.
  if (then.sent < depth_) return false;
  if (now.sent - now.received != then.sent - then.received) return false;
  const auto slot = [&](std::size_t of, std::int64_t message) {
    return (of * static_cast<std::size_t>(depth_) + static_cast<std::size_t>(message % depth_)) *
           state.width;
  };
  // Messages on their way first, then credits, the oldest first.
  for (std::int64_t i = 0; i < depth_; ++i) {
    if (!moved(&state.slots[slot(connection, now.received + i)],
               &slots_[slot(index, then.received + i)], delta_ps)) {
      return false;
    }
  }
  return true;
}

void WiredPeriod::remember(const WiredState& state, std::int32_t repetitions) {
  snapshot_at_ = repetitions;
  next_snapshot_ = 2 * repetitions;
  for (auto* clocks : {&lane_, &port_, &slots_}) clocks->clear();
  queues_.clear();
  for (const std::int32_t lane : lanes_) {
    const std::size_t first = static_cast<std::size_t>(lane) * state.width;
    for (std::size_t clock = first; clock < first + state.width; ++clock) {
      lane_.push_back(state.lane[clock]);
      port_.push_back(effective_port(state, clock));
    }
  }
  const auto slots = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(depth_) * state.width);
  for (const std::int32_t connection : connections_) {
    queues_.push_back(state.queues[static_cast<std::size_t>(connection)]);
    const auto begin = connection * slots;
    slots_.insert(slots_.end(), state.slots.begin() + begin, state.slots.begin() + begin + slots);
  }
}

void WiredPeriod::shift(WiredState& state, const Period& period, std::int32_t times) const {
  const auto add = [&](ClockRow& clocks, std::size_t index) {
    for (std::size_t m = 0; m < state.width; ++m) {
      clocks[index * state.width + m] += period.delta_ps[m] * times;
    }
  };
  for (const std::int32_t lane : lanes_) {
    add(state.lane, static_cast<std::size_t>(lane));
    add(state.port, static_cast<std::size_t>(lane));
  }
  for (const std::int32_t connection : connections_) {
    const auto begin = static_cast<std::size_t>(connection) * static_cast<std::size_t>(depth_);
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(depth_); ++i) {
      add(state.slots, i);
    }
  }
}

}  // namespace fabricast
