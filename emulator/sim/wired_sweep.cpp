#include "emulator/sim/wired_sweep.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "emulator/sim/wired_period.hpp"
#include "emulator/sim/wired_run.hpp"

namespace fabricast {
WiredRun::WiredRun(const WiredProgram& program, std::int32_t loops, std::int32_t slices, bool jump,
                   StepLog* log)
    : program_(program), loops_(loops), slices_(slices), jump_(jump && log == nullptr), log_(log) {
  const auto lanes = static_cast<std::size_t>(program.lanes);
  const auto slots = program.connections.size() * static_cast<std::size_t>(program.depth);
  state_ = {std::vector<std::int64_t>(lanes, 0), std::vector<std::int64_t>(lanes, 0),
            std::vector<WiredQueue>(program.connections.size()),
            std::vector<std::int64_t>(slots, 0), std::vector<std::int64_t>(slots, 0)};
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
  spans_.assign(program.stage_names.size(), {WiredRun::never_started, 0});
  if (program.marks.empty()) return;
  const std::size_t segments = program.segments.size();
  marks_.resize(program.marks.size());
  mark_at_.assign(lanes * segments, -1);
  for (std::size_t m = 0; m < program.marks.size(); ++m) {
    const WiredMark& mark = program.marks[m];
    // Several stages may end with one segment: they share the first mark (see wide_step_can_start).
    auto& at = mark_at_[static_cast<std::size_t>(mark.lane) * segments +
                        static_cast<std::size_t>(mark.segment)];
    if (at < 0) at = static_cast<std::int32_t>(m);
  }
}

void WiredRun::run() {
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
bool WiredRun::run_segment(std::int64_t start, const WiredSegment& segment) {
  const std::int32_t window =
      segment.unrolled() ? segment.repeat : std::max(1, program_.depth / slices_);
  std::optional<WiredPeriod> period;
  if (jump_ && segment.repeat >= 8 * window && WiredPeriod::applies(segment)) {
    period.emplace(program_, segment);
  }
  std::int32_t done = 0;
  while (done < segment.repeat) {
    done = std::min(done + window, segment.repeat);
    if (!run_until(start + done)) {
      if (!run_until(ordinals_per_loop_ * loops_)) report_deadlock();
      return false;
    }
    if (!period || done == segment.repeat) continue;
    const auto found = period->observe(state_, done);
    if (!found) continue;
    // At least one repetition stays: lanes leave a segment by executing its end.
    const std::int32_t times = (segment.repeat - done - 1) / found->repetitions;
    if (times == 0) continue;
    period->shift(state_, found->delta_ps * times);
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
bool WiredRun::run_until(std::int64_t limit) {
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

void WiredRun::run_lane(std::int32_t lane, std::int64_t limit) {
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

void WiredRun::next_segment(WiredCursor& cursor, std::int32_t lane) {
  const auto at = static_cast<std::size_t>(lane);
  const WiredSegment& finished = program_.segments[static_cast<std::size_t>(cursor.segment)];
  if (cursor.loop == loops_ - 1 && finished.begin[at] < finished.begin[at + 1]) {
    auto& end = spans_[static_cast<std::size_t>(finished.stage)].end_ps;
    end = std::max(end, state_.lane[at]);
  }
  if (!mark_at_.empty()) note_mark(lane, cursor);
  if (static_cast<std::size_t>(++cursor.segment) == program_.segments.size()) {
    cursor.segment = 0;
    ++cursor.loop;
  }
  const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
  cursor.segment_end += segment.repeat;
  cursor.step = segment.begin[at];
  cursor.slice = 0;
}

bool WiredRun::run_repetition(std::int32_t lane, WiredCursor& cursor, const WiredSegment& segment) {
  const auto at = static_cast<std::size_t>(lane);
  const auto repetition = cursor.ordinal + segment.repeat - cursor.segment_end;
  std::int32_t first = segment.begin[at];
  std::int32_t end = segment.begin[at + 1];
  if (segment.unrolled()) [[unlikely]] {
    const auto bundle = static_cast<std::size_t>(segment.bundle_of[at] + repetition);
    first = segment.bundles[bundle];
    end = segment.bundles[bundle + 1];
  }
  std::int64_t ignored = 0;
  const bool opens = cursor.loop == 0 && (repetition == 0 || segment.unrolled());
  auto& span_start = opens ? spans_[static_cast<std::size_t>(segment.stage)].start_ps : ignored;
  for (; cursor.slice < slices_; ++cursor.slice) {
    for (; cursor.step < end; ++cursor.step) {
      const WiredStep& step = segment.steps[static_cast<std::size_t>(cursor.step)];
      const bool done = step.is_wide() ? try_wide_step(lane, segment, step, span_start)
                                       : try_step(lane, step, span_start);
      if (!done) return false;
    }
    cursor.step = first;
  }
  cursor.slice = 0;
  if (segment.unrolled()) cursor.step = end;  // where the next repetition begins
  ++cursor.ordinal;
  return true;
}

// Semantics 3.1 to 3.5. A lane that cannot go on leaves its number with the queue it waits for.
bool WiredRun::try_step(std::int32_t lane, const WiredStep& step, std::int64_t& span_start) {
  const auto at = static_cast<std::size_t>(lane);
  const std::int64_t depth = program_.depth;
  WiredQueue* in = nullptr;
  WiredQueue* out = nullptr;
  std::size_t in_slot = 0, out_slot = 0;
  std::int64_t start = state_.lane[at];
  if (step.in >= 0) {
    in = &state_.queues[static_cast<std::size_t>(step.in)];
    if (in->received == in->sent) {
      in->waiting_receiver = lane;
      return false;
    }
    in_slot = static_cast<std::size_t>(step.in * depth + in->received_slot);
    start = std::max(start, state_.ready[in_slot]);
  }
  if (step.out >= 0) {
    out = &state_.queues[static_cast<std::size_t>(step.out)];
    if (out->sent - out->received >= depth) {
      out->waiting_sender = lane;
      return false;
    }
    out_slot = static_cast<std::size_t>(step.out * depth + out->sent_slot);
    start = std::max(start, state_.credit[out_slot]);  // 0 until the slot was used once
  }
  if (log_ != nullptr) [[unlikely]] {
    note_step(lane, step, start, in != nullptr ? state_.ready[in_slot] : -1,
              out != nullptr ? state_.credit[out_slot] : -1);
  }
  const std::int64_t end = start + step.lane;
  state_.lane[at] = end;
  span_start = std::min(span_start, start);
  ++updates_;
  if (in != nullptr) {
    state_.credit[in_slot] = end + step.credit;
    ++in->received;
    if (++in->received_slot == depth) in->received_slot = 0;
    if (in->waiting_sender >= 0) runnable_.push_back(std::exchange(in->waiting_sender, -1));
  }
  if (out != nullptr) {
    state_.port[at] = std::max(state_.port[at], start) + step.port;
    state_.ready[out_slot] = std::max(end, state_.port[at]) + step.latency;
    ++out->sent;
    if (++out->sent_slot == depth) out->sent_slot = 0;
    if (out->waiting_receiver >= 0) runnable_.push_back(std::exchange(out->waiting_receiver, -1));
  }
  return true;
}

EngineOutcome wired_sweep(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
                          bool jump, StepLog* log) {
  WiredRun run(program, loops, slices, jump, log);
  run.run();
  return run.outcome();
}

}  // namespace fabricast
