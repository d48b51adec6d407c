#include "emulator/sim/wired_period.hpp"

#include <algorithm>

namespace fabricast {
namespace {

std::size_t slot(std::int64_t connection, std::int64_t message, std::int32_t depth) {
  return static_cast<std::size_t>(connection * depth + message % depth);
}

// A port only matters through max(port free, start), and start >= lane free.
std::int64_t effective_port(const WiredState& state, std::size_t lane) {
  return std::max(state.port[lane], state.lane[lane]);
}

}  // namespace

bool WiredPeriod::applies(const WiredSegment& segment) {
  return !segment.unrolled() &&
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
    const auto first = static_cast<std::size_t>(lanes_.front());
    const std::int64_t delta = state.lane[first] - snapshot_.lane.front();
    if (moved_by_one_constant(state, delta)) return Period{repetitions - snapshot_at_, delta};
  }
  if (repetitions >= next_snapshot_) remember(state, repetitions);
  return std::nullopt;
}

bool WiredPeriod::moved_by_one_constant(const WiredState& state, std::int64_t delta_ps) const {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const auto lane = static_cast<std::size_t>(lanes_[i]);
    if (state.lane[lane] != snapshot_.lane[i] + delta_ps) return false;
    if (effective_port(state, lane) != snapshot_.port[i] + delta_ps) return false;
  }
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (!queue_moved(state, i, delta_ps)) return false;
  }
  return true;
}

bool WiredPeriod::queue_moved(const WiredState& state, std::size_t index,
                              std::int64_t delta_ps) const {
  const auto connection = static_cast<std::size_t>(connections_[index]);
  const WiredQueue& now = state.queues[connection];
  const WiredQueue& then = snapshot_.queues[index];
  // Before the first `depth` messages a slot is free at time 0, which does not move.
  if (then.sent < depth_) return false;
  if (now.sent - now.received != then.sent - then.received) return false;
  const auto here = static_cast<std::int64_t>(connection);
  const auto there = static_cast<std::int64_t>(index);
  for (std::int64_t i = 0; i < now.sent - now.received; ++i) {
    if (state.ready[slot(here, now.received + i, depth_)] !=
        snapshot_.ready[slot(there, then.received + i, depth_)] + delta_ps) {
      return false;
    }
  }
  for (std::int64_t i = 1; i <= depth_ - (now.sent - now.received); ++i) {
    if (state.credit[slot(here, now.received - i, depth_)] !=
        snapshot_.credit[slot(there, then.received - i, depth_)] + delta_ps) {
      return false;
    }
  }
  return true;
}

void WiredPeriod::remember(const WiredState& state, std::int32_t repetitions) {
  snapshot_at_ = repetitions;
  next_snapshot_ = 2 * repetitions;
  snapshot_.lane.clear();
  snapshot_.port.clear();
  snapshot_.queues.clear();
  snapshot_.ready.clear();
  snapshot_.credit.clear();
  for (const std::int32_t lane : lanes_) {
    snapshot_.lane.push_back(state.lane[static_cast<std::size_t>(lane)]);
    snapshot_.port.push_back(effective_port(state, static_cast<std::size_t>(lane)));
  }
  for (const std::int32_t connection : connections_) {
    snapshot_.queues.push_back(state.queues[static_cast<std::size_t>(connection)]);
    const auto begin = static_cast<std::ptrdiff_t>(connection) * depth_;
    const auto copy = [&](std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
      to.insert(to.end(), from.begin() + begin, from.begin() + begin + depth_);
    };
    copy(snapshot_.ready, state.ready);
    copy(snapshot_.credit, state.credit);
  }
}

void WiredPeriod::shift(WiredState& state, std::int64_t delta_ps) const {
  for (const std::int32_t lane : lanes_) {
    state.lane[static_cast<std::size_t>(lane)] += delta_ps;
    state.port[static_cast<std::size_t>(lane)] += delta_ps;
  }
  for (const std::int32_t connection : connections_) {
    const auto begin = static_cast<std::size_t>(connection) * static_cast<std::size_t>(depth_);
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(depth_); ++i) {
      state.ready[i] += delta_ps;
      state.credit[i] += delta_ps;
    }
  }
}

}  // namespace fabricast
