// What WiredRun tells: its outcome, or which lane waits for ever.
#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/sim/wired_run.hpp"

namespace fabricast {

void WiredRun::report_deadlock() const {
  for (std::int32_t lane = 0; lane < program_.lanes; ++lane) {
    const WiredCursor& cursor = cursors_[static_cast<std::size_t>(lane)];
    if (cursor.loop == loops_) continue;
    const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
    const auto repetition = segment.first_repetition + segment.repeat -
                            static_cast<std::int32_t>(cursor.segment_end - cursor.ordinal);
    const WiredStep& step = segment.steps[static_cast<std::size_t>(cursor.step)];
    const bool receives =
        step.in >= 0 && state_.queues[static_cast<std::size_t>(step.in)].sent ==
                            state_.queues[static_cast<std::size_t>(step.in)].received;
    const WiredConnection& connection =
        program_.connections[static_cast<std::size_t>(receives ? step.in : step.out)];
    throw UsageError(fmt::format(
        "the schedule deadlocks: lane (position {}, role {}) at stage '{}', loop {}, repetition "
        "{}, "
        "slice {} waits for ever for {} connection {} -> {} (fifo_depth {}, slices {}); use more "
        "slots or fewer slices",
        lane / program_.roles, lane % program_.roles,
        program_.stage_names[static_cast<std::size_t>(segment.stage)], cursor.loop, repetition,
        cursor.slice, receives ? "a message on" : "a free slot of", connection.source,
        connection.destination, program_.depth, slices_));
  }
  throw UsageError("the schedule deadlocks");
}

EngineOutcome WiredRun::outcome() const {
  EngineOutcome result;
  for (const std::int64_t end : state_.lane) result.makespan_ps = std::max(result.makespan_ps, end);
  result.stages = spans_;
  for (StageSpan& span : result.stages) {
    if (span.start_ps == never_started) span = {};
  }
  result.updates = updates_;
  result.skipped = skipped_;
  const auto bytes = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  result.state_bytes = bytes(state_.lane) + bytes(state_.port) + bytes(state_.queues) +
                       bytes(state_.ready) + bytes(state_.credit) + bytes(cursors_) +
                       bytes(order_) * 3;
  for (const auto& segment : program_.segments) {
    result.state_bytes += bytes(segment.steps) + bytes(segment.begin);
  }
  return result;
}

}  // namespace fabricast
