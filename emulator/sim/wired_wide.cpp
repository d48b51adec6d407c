// Steps of the general engine with several messages, or that wait for another lane.
#include <algorithm>
#include <utility>

#include "emulator/sim/wired_run.hpp"

namespace fabricast {

// The lane has left a segment: tell who waits for its end.
void WiredRun::note_mark(std::int32_t lane, const WiredCursor& cursor) {
  const std::size_t segments = program_.segments.size();
  const std::int32_t index = mark_at_[static_cast<std::size_t>(lane) * segments +
                                      static_cast<std::size_t>(cursor.segment)];
  if (index < 0) return;
  Mark& mark = marks_[static_cast<std::size_t>(index)];
  mark.ends.push_back(state_.lane[static_cast<std::size_t>(lane)]);
  runnable_.insert(runnable_.end(), mark.waiting.begin(), mark.waiting.end());
  mark.waiting.clear();
}

// False: the lane has left its number where it will be woken. Otherwise `start` is pushed back by
// everything the step waits for. Messages are looked at from the last on, because the first ones
// come first: a lane is then seldom woken in vain.
bool WiredRun::wide_step_can_start(std::int32_t lane, const WiredSegment& segment,
                                   const WideStep& step, std::int64_t& start) {
  const std::int64_t depth = program_.depth;
  const auto queue = [&](std::int32_t i) -> std::pair<WiredQueue&, std::int64_t> {
    const std::int32_t c = segment.wide_connections[static_cast<std::size_t>(step.first + i)];
    return {state_.queues[static_cast<std::size_t>(c)], c * depth};
  };
  if (step.mark >= 0) {
    const WiredMark& of = program_.marks[static_cast<std::size_t>(step.mark)];
    const std::int32_t shared = mark_at_[static_cast<std::size_t>(of.lane) * program_.segments.size() +
                                         static_cast<std::size_t>(of.segment)];
    Mark& mark = marks_[static_cast<std::size_t>(shared)];
    const std::int32_t loop = cursors_[static_cast<std::size_t>(lane)].loop - of.previous_loop;
    if (loop >= static_cast<std::int32_t>(mark.ends.size())) {
      mark.waiting.push_back(lane);
      return false;
    }
    if (loop >= 0) start = std::max(start, mark.ends[static_cast<std::size_t>(loop)]);
  }
  for (std::int32_t i = step.ins; i-- > 0;) {
    const auto [in, slots] = queue(i);
    if (in.received == in.sent) {
      in.waiting_receiver = lane;
      return false;
    }
    start = std::max(start, state_.ready[static_cast<std::size_t>(slots + in.received_slot)]);
  }
  for (std::int32_t i = step.ins + step.outs; i-- > step.ins;) {
    const auto [out, slots] = queue(i);
    if (out.sent - out.received >= depth) {
      out.waiting_sender = lane;
      return false;
    }
    start = std::max(start, state_.credit[static_cast<std::size_t>(slots + out.sent_slot)]);
  }
  return true;
}

// As try_step, with all messages at once (semantics 1.4): one lane cost, one occupation of the
// port, and every message is ready at the same time.
bool WiredRun::try_wide_step(std::int32_t lane, const WiredSegment& segment, const WiredStep& step,
                             std::int64_t& span_start) {
  const auto at = static_cast<std::size_t>(lane);
  const std::int64_t depth = program_.depth;
  const WideStep& wide = segment.wide_steps[step.wide_index()];
  std::int64_t start = state_.lane[at];
  if (!wide_step_can_start(lane, segment, wide, start)) return false;
  if (log_ != nullptr) [[unlikely]]
    note_wide_step(lane, segment, step, start);
  const std::int64_t end = start + step.lane;
  state_.lane[at] = end;
  span_start = std::min(span_start, start);
  ++updates_;
  const std::int32_t* connections = segment.wide_connections.data() + wide.first;
  for (std::int32_t i = 0; i < wide.ins; ++i) {
    WiredQueue& in = state_.queues[static_cast<std::size_t>(connections[i])];
    state_.credit[static_cast<std::size_t>(connections[i] * depth + in.received_slot)] =
        end + step.credit;
    ++in.received;
    if (++in.received_slot == depth) in.received_slot = 0;
    if (in.waiting_sender >= 0) runnable_.push_back(std::exchange(in.waiting_sender, -1));
  }
  if (wide.outs == 0) return true;
  state_.port[at] = std::max(state_.port[at], start) + step.port;
  const std::int64_t ready = std::max(end, state_.port[at]) + step.latency;
  for (std::int32_t i = wide.ins; i < wide.ins + wide.outs; ++i) {
    WiredQueue& out = state_.queues[static_cast<std::size_t>(connections[i])];
    state_.ready[static_cast<std::size_t>(connections[i] * depth + out.sent_slot)] = ready;
    ++out.sent;
    if (++out.sent_slot == depth) out.sent_slot = 0;
    if (out.waiting_receiver >= 0) runnable_.push_back(std::exchange(out.waiting_receiver, -1));
  }
  return true;
}

}  // namespace fabricast
