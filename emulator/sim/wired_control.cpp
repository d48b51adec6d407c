#include "emulator/sim/wired_control.hpp"

#include <algorithm>
#include <utility>

namespace fabricast {

WiredControl::WiredControl(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
                           std::size_t members)
    : program_(program), loops_(loops), slices_(slices), state_(program, members) {
  const auto lanes = static_cast<std::size_t>(program.lanes);
  for (const auto& segment : program.segments) ordinals_per_loop_ += segment.repeat;
  cursors_.resize(lanes);
  for (std::int32_t lane = 0; lane < program.lanes; ++lane) {
    if (!program.segments.empty()) {
      auto& cursor = cursors_[static_cast<std::size_t>(lane)];
      cursor.segment_end = program.segments[0].repeat;
      cursor.step = program.segments[0].begin[static_cast<std::size_t>(lane)];
    }
    order_.push_back(lane);
  }
  runnable_.reserve(lanes);
  next_order_.reserve(lanes);
  if (program.marks.empty()) return;
  const std::size_t segments = program.segments.size();
  marks_.resize(program.marks.size());
  mark_at_.assign(lanes * segments, -1);
  for (std::size_t m = 0; m < program.marks.size(); ++m) {
    const WiredMark& mark = program.marks[m];
    // Several stages may end with one segment: they share the first mark (mark_of).
    auto& at = mark_at_[static_cast<std::size_t>(mark.lane) * segments +
                        static_cast<std::size_t>(mark.segment)];
    if (at < 0) at = static_cast<std::int32_t>(m);
  }
}

bool WiredControl::can_receive(std::int32_t lane, std::int32_t connection) {
  WiredQueue& queue = state_.queues[static_cast<std::size_t>(connection)];
  if (queue.received != queue.sent) return true;
  queue.waiting_receiver = lane;
  return false;
}

bool WiredControl::can_send(std::int32_t lane, std::int32_t connection) {
  WiredQueue& queue = state_.queues[static_cast<std::size_t>(connection)];
  if (queue.sent - queue.received < program_.depth) return true;
  queue.waiting_sender = lane;
  return false;
}

void WiredControl::received(std::int32_t connection) {
  WiredQueue& queue = state_.queues[static_cast<std::size_t>(connection)];
  ++queue.received;
  if (++queue.received_slot == program_.depth) queue.received_slot = 0;
  if (queue.waiting_sender >= 0) runnable_.push_back(std::exchange(queue.waiting_sender, -1));
}

void WiredControl::sent(std::int32_t connection) {
  WiredQueue& queue = state_.queues[static_cast<std::size_t>(connection)];
  ++queue.sent;
  if (++queue.sent_slot == program_.depth) queue.sent_slot = 0;
  if (queue.waiting_receiver >= 0) runnable_.push_back(std::exchange(queue.waiting_receiver, -1));
}

std::size_t WiredControl::mark_of(const WideStep& step) const {
  const WiredMark& of = program_.marks[static_cast<std::size_t>(step.mark)];
  return static_cast<std::size_t>(
      mark_at_[static_cast<std::size_t>(of.lane) * program_.segments.size() +
               static_cast<std::size_t>(of.segment)]);
}

std::int32_t WiredControl::awaited_loop(std::int32_t lane, const WideStep& step) const {
  return cursors_[static_cast<std::size_t>(lane)].loop -
         program_.marks[static_cast<std::size_t>(step.mark)].previous_loop;
}

// Messages are looked at from the last on, because the first ones come first: a lane is then seldom
// woken in vain.
bool WiredControl::wide_step_can_start(std::int32_t lane, const WiredSegment& segment,
                                       const WideStep& step) {
  if (step.mark >= 0) {
    Mark& mark = marks_[mark_of(step)];
    if (awaited_loop(lane, step) >= mark.loops_done) {
      mark.waiting.push_back(lane);
      return false;
    }
  }
  const std::int32_t* connections = segment.wide_connections.data() + step.first;
  for (std::int32_t i = step.ins; i-- > 0;) {
    if (!can_receive(lane, connections[i])) return false;
  }
  for (std::int32_t i = step.ins + step.outs; i-- > step.ins;) {
    if (!can_send(lane, connections[i])) return false;
  }
  return true;
}

std::int32_t WiredControl::pass_mark(std::int32_t lane, const WiredCursor& cursor) {
  const std::int32_t index = mark_at_[static_cast<std::size_t>(lane) * program_.segments.size() +
                                      static_cast<std::size_t>(cursor.segment)];
  if (index < 0) return index;
  Mark& mark = marks_[static_cast<std::size_t>(index)];
  ++mark.loops_done;
  runnable_.insert(runnable_.end(), mark.waiting.begin(), mark.waiting.end());
  mark.waiting.clear();
  return index;
}

}  // namespace fabricast
