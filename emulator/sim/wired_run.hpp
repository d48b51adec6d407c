// One evaluation of a wired program: control (wired_control.hpp) drives clocks of some kind.
//
// What it asks of Clocks, whose members may be inlined, for there is a call of them per step:
//   members                                   how many cost sets
//   step(state, place, in slot, out slot)     a step with at most one message each way; -1: none
//   gather(state, place), gather_mark(...), gather_ready(...), gather_credit(...),
//   wide_step(state, place), give_credit(...), give_ready(...)   a step with several
//   note_end(state, lane, stage)              the lane has ended the stage in the last loop
// and, for blocks of a lane's steps (lane_block.hpp), of clocks whose costs do not change:
//   block_kernel()                            null: step by step, please
//   block_costs(segment)                      [step][4][members]; null: those in the steps
// Clocks learn with `place` which step it is. WiredRun moves the queues after the clocks.
// Not thread safe.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "emulator/sim/lane_block.hpp"
#include "emulator/sim/wired_control.hpp"
#include "emulator/sim/wired_period.hpp"

namespace fabricast {

struct WiredPlace {
  std::int32_t lane = 0;
  const WiredSegment& segment;
  const WiredStep& step;
  bool opens = false;  // of the first repetition of a stage in the first loop
};

template <class Clocks>
class WiredRun : private WiredControl {
 public:
  WiredRun(const WiredProgram& program, std::int32_t loops, std::int32_t slices, bool jump,
           Clocks& clocks)
      : WiredControl(program, loops, slices, Clocks::members), clocks_(clocks), jump_(jump) {}

  // Throws UsageError on a deadlock.
  void run();
  const WiredState& state() const { return state_; }
  std::int64_t updates() const { return updates_; }
  std::int64_t skipped() const { return skipped_; }
  using WiredControl::state_bytes;

 private:
  bool run_segment(std::int64_t start, const WiredSegment& segment);
  bool run_until(std::int64_t limit);
  void run_lane(std::int32_t lane, std::int64_t limit);
  // Executes slices of one repetition; false when the lane blocked.
  bool run_repetition(std::int32_t lane, WiredCursor& cursor, const WiredSegment& segment);
  bool try_step(const WiredPlace& place);
  void do_step(const WiredPlace& place);
  bool try_wide_step(const WiredPlace& place);
  void do_wide_step(const WiredPlace& place, const WideStep& wide);
  // Blocks of repetitions without control (wired_blocks.hpp).
  const LaneOrder* order_of(const WiredSegment& segment);
  void run_block(const LaneOrder& order, const WiredSegment& segment, std::int32_t repetitions);
  bool run_kernel(const LaneOrder& order, const WiredSegment& segment, std::int32_t rounds);
  void run_lane_steps(std::int32_t lane, const WiredSegment& segment, std::int32_t repetitions);
  void next_segment(WiredCursor& cursor, std::int32_t lane);

  Clocks& clocks_;
  bool jump_;
  std::int64_t updates_ = 0, skipped_ = 0;
};

template <class Clocks>
void WiredRun<Clocks>::run() {
  std::int64_t start = 0;
  for (std::int32_t loop = 0; loop < loops_; ++loop) {
    for (const WiredSegment& segment : program_.segments) {
      if (!run_segment(start, segment)) return;  // all has run
      start += segment.repeat;
    }
  }
}

// Lanes advance together by a few repetitions at a time, so that queues are short and periodicity
// shows. If that comes to rest, some lane needs one that is ahead of the others: let all run to the
// end (false).
template <class Clocks>
bool WiredRun<Clocks>::run_segment(std::int64_t start, const WiredSegment& segment) {
  const std::int32_t window =
      segment.unrolled() ? segment.repeat : WiredPeriod::window(program_, slices_);
  std::optional<WiredPeriod> period;
  if (jump_ && WiredPeriod::applies(segment, window)) {
    period.emplace(program_, segment);
  }
  std::int32_t done = 0;
  const LaneOrder* order = nullptr;
  while (done < segment.repeat) {
    const std::int32_t before = std::exchange(done, std::min(done + window, segment.repeat));
    // The first block of a stage is under control: it notes when the stage begins.
    if (order == nullptr && before == (start < ordinals_per_loop_ ? window : 0)) {
      order = order_of(segment);
    }
    if (order != nullptr) {
      run_block(*order, segment, done - before);
    } else if (!run_until(start + done)) {
      if (!run_until(ordinals_per_loop_ * loops_)) report_deadlock();
      return false;
    }
    if (!period || done == segment.repeat) continue;
    const auto found = period->observe(state_, done);
    if (!found) continue;
    // At least one repetition stays: lanes leave a segment by executing its end.
    const std::int32_t times = (segment.repeat - done - 1) / found->repetitions;
    if (times == 0) continue;
    period->shift(state_, *found, times);
    for (WiredCursor& cursor : cursors_) {
      if (cursor.segment_end == start + segment.repeat) {
        cursor.ordinal += std::int64_t{times} * found->repetitions;
      }
    }
    done += times * found->repetitions;
    skipped_ += std::int64_t{times} * found->repetitions * slices_ *
                static_cast<std::int64_t>(segment.steps.size());
  }
  return true;
}

// Runs every lane to the ordinal; false if some lane did not get there.
template <class Clocks>
bool WiredRun<Clocks>::run_until(std::int64_t limit) {
  next_order_.clear();
  for (const std::int32_t lane : order_) {
    run_lane(lane, limit);
    while (!runnable_.empty()) {
      const std::int32_t woken = runnable_.back();
      runnable_.pop_back();
      run_lane(woken, limit);
    }
  }
  if (next_order_.size() == order_.size()) {
    order_.swap(next_order_);
    return true;
  }
  return std::all_of(cursors_.begin(), cursors_.end(),
                     [limit](const WiredCursor& cursor) { return cursor.ordinal >= limit; });
}

template <class Clocks>
void WiredRun<Clocks>::run_lane(std::int32_t lane, std::int64_t limit) {
  WiredCursor& cursor = cursors_[static_cast<std::size_t>(lane)];
  if (cursor.ordinal >= limit) return;
  const auto at = static_cast<std::size_t>(lane);
  while (cursor.ordinal < limit) {
    const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
    if (segment.begin[at] == segment.begin[at + 1]) {
      cursor.ordinal = std::min(limit, cursor.segment_end);  // nothing to do here
    } else if (!run_repetition(lane, cursor, segment)) {
      return;
    }
    if (cursor.ordinal == cursor.segment_end) next_segment(cursor, lane);
  }
  next_order_.push_back(lane);
}

template <class Clocks>
void WiredRun<Clocks>::next_segment(WiredCursor& cursor, std::int32_t lane) {
  const auto at = static_cast<std::size_t>(lane);
  const WiredSegment& finished = program_.segments[static_cast<std::size_t>(cursor.segment)];
  if (cursor.loop == loops_ - 1 && finished.begin[at] < finished.begin[at + 1]) {
    clocks_.note_end(state_, lane, finished.stage);
  }
  if (!mark_at_.empty()) {
    const std::int32_t mark = pass_mark(lane, cursor);
    if (mark >= 0) {
      const auto* end = state_.lane.data() + at * Clocks::members;
      auto& ends = state_.mark_ends[static_cast<std::size_t>(mark)];
      ends.insert(ends.end(), end, end + Clocks::members);
    }
  }
  if (static_cast<std::size_t>(++cursor.segment) == program_.segments.size()) {
    cursor.segment = 0;
    ++cursor.loop;
  }
  const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
  cursor.segment_end += segment.repeat;
  cursor.step = segment.begin[at];
  cursor.slice = 0;
}

template <class Clocks>
bool WiredRun<Clocks>::run_repetition(std::int32_t lane, WiredCursor& cursor,
                                      const WiredSegment& segment) {
  const auto at = static_cast<std::size_t>(lane);
  const auto repetition = cursor.ordinal + segment.repeat - cursor.segment_end;
  std::int32_t first = segment.begin[at];
  std::int32_t end = segment.begin[at + 1];
  if (segment.unrolled()) [[unlikely]] {
    const auto bundle = static_cast<std::size_t>(segment.bundle_of[at] + repetition);
    first = segment.bundles[bundle];
    end = segment.bundles[bundle + 1];
  }
  const bool opens = cursor.loop == 0 && (repetition == 0 || segment.unrolled());
  for (; cursor.slice < slices_; ++cursor.slice) {
    for (; cursor.step < end; ++cursor.step) {
      const WiredStep& step = segment.steps[static_cast<std::size_t>(cursor.step)];
      const WiredPlace place{lane, segment, step, opens};
      if (!(step.is_wide() ? try_wide_step(place) : try_step(place))) return false;
    }
    cursor.step = first;
  }
  cursor.slice = 0;
  if (segment.unrolled()) cursor.step = end;  // where the next repetition begins
  ++cursor.ordinal;
  return true;
}

// Semantics 3.1 to 3.5. A lane that cannot go on leaves its number with the queue it waits for.
template <class Clocks>
bool WiredRun<Clocks>::try_step(const WiredPlace& place) {
  const WiredStep& step = place.step;
  if (step.in >= 0 && !can_receive(place.lane, step.in)) return false;
  if (step.out >= 0 && !can_send(place.lane, step.out)) return false;
  do_step(place);
  return true;
}

template <class Clocks>
void WiredRun<Clocks>::do_step(const WiredPlace& place) {
  const WiredStep& step = place.step;
  clocks_.step(state_, place, step.in >= 0 ? slot_received(step.in) : -1,
               step.out >= 0 ? slot_sent(step.out) : -1);
  ++updates_;
  if (step.in >= 0) received(step.in);
  if (step.out >= 0) sent(step.out);
}

// As try_step, with all messages at once (semantics 1.4): one lane cost, one occupation of the
// port, and every message is ready at the same time.
template <class Clocks>
bool WiredRun<Clocks>::try_wide_step(const WiredPlace& place) {
  const WideStep& wide = place.segment.wide_steps[place.step.wide_index()];
  if (!wide_step_can_start(place.lane, place.segment, wide)) return false;
  do_wide_step(place, wide);
  return true;
}

template <class Clocks>
void WiredRun<Clocks>::do_wide_step(const WiredPlace& place, const WideStep& wide) {
  const std::int32_t* connections = place.segment.wide_connections.data() + wide.first;
  const std::int32_t all = wide.ins + wide.outs;
  clocks_.gather(state_, place);
  if (wide.mark >= 0) {
    const std::int32_t loop = awaited_loop(place.lane, wide);
    if (loop >= 0) {
      const auto& ends = state_.mark_ends[mark_of(wide)];
      clocks_.gather_mark(ends.data() + static_cast<std::size_t>(loop) * Clocks::members);
    }
  }
  for (std::int32_t i = 0; i < wide.ins; ++i) {
    clocks_.gather_ready(state_, slot_received(connections[i]));
  }
  for (std::int32_t i = wide.ins; i < all; ++i) {
    clocks_.gather_credit(state_, slot_sent(connections[i]));
  }
  clocks_.wide_step(state_, place, wide.ins > 0, wide.outs > 0);
  ++updates_;
  for (std::int32_t i = 0; i < wide.ins; ++i) {
    clocks_.give_credit(state_, slot_received(connections[i]));
    received(connections[i]);
  }
  for (std::int32_t i = wide.ins; i < all; ++i) {
    clocks_.give_ready(state_, slot_sent(connections[i]));
    sent(connections[i]);
  }
}

}  // namespace fabricast

#include "emulator/sim/wired_blocks.hpp"
