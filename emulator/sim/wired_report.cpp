// What control tells: which lane waits for ever, and how much memory a run takes.
#include <fmt/format.h>

#include <string_view>

#include "emulator/base/error.hpp"
#include "emulator/sim/wired_control.hpp"

namespace fabricast {

// The first thing that the next step of a blocked lane lacks.
std::string WiredControl::what_blocks(std::int32_t lane) const {
  const WiredCursor& cursor = cursors_[static_cast<std::size_t>(lane)];
  const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
  const WiredStep& step = segment.steps[static_cast<std::size_t>(cursor.step)];
  const auto name = [this](std::string_view what, std::int32_t connection) {
    const WiredConnection& of = program_.connections[static_cast<std::size_t>(connection)];
    const std::int32_t roles = program_.roles;
    return fmt::format("{} connection {} -> {}{}", what,
                       WiredConnection::position(of.sending_lane, roles),
                       WiredConnection::position(of.receiving_lane, roles),
                       of.fifo > 0 ? fmt::format(" (fifo {})", of.fifo) : "");
  };
  const auto lacks_message = [this](std::int32_t connection) {
    const WiredQueue& queue = state_.queues[static_cast<std::size_t>(connection)];
    return queue.sent == queue.received;
  };
  if (!step.is_wide()) {
    return step.in >= 0 && lacks_message(step.in) ? name("a message on", step.in)
                                                  : name("a free slot of", step.out);
  }
  const WideStep& wide = segment.wide_steps[step.wide_index()];
  const std::int32_t* connections = segment.wide_connections.data() + wide.first;
  for (std::int32_t i = 0; i < wide.ins; ++i) {
    if (lacks_message(connections[i])) return name("a message on", connections[i]);
  }
  for (std::int32_t i = wide.ins; i < wide.ins + wide.outs; ++i) {
    const WiredQueue& queue = state_.queues[static_cast<std::size_t>(connections[i])];
    if (queue.sent - queue.received >= program_.depth) {
      return name("a free slot of", connections[i]);
    }
  }
  const WiredMark& mark = program_.marks[static_cast<std::size_t>(wide.mark)];
  const auto stage = program_.segments[static_cast<std::size_t>(mark.segment)].stage;
  return fmt::format("the end of stage '{}' on role {}",
                     program_.stage_names[static_cast<std::size_t>(stage)],
                     mark.lane % program_.roles);
}

void WiredControl::report_deadlock() const {
  for (std::int32_t lane = 0; lane < program_.lanes; ++lane) {
    const WiredCursor& cursor = cursors_[static_cast<std::size_t>(lane)];
    if (cursor.loop == loops_) continue;
    const WiredSegment& segment = program_.segments[static_cast<std::size_t>(cursor.segment)];
    const auto repetition =
        segment.repeat - static_cast<std::int32_t>(cursor.segment_end - cursor.ordinal);
    throw UsageError(fmt::format(
        "the schedule deadlocks: lane (position {}, role {}) at stage '{}', loop {}, repetition "
        "{}, slice {} waits for ever for {} (fifo_depth {}, slices {}); use more slots or fewer "
        "slices",
        lane / program_.roles, lane % program_.roles,
        program_.stage_names[static_cast<std::size_t>(segment.stage)], cursor.loop, repetition,
        cursor.slice, what_blocks(lane), program_.depth, slices_));
  }
  throw UsageError("the schedule deadlocks");
}

std::int64_t WiredControl::state_bytes() const {
  const auto bytes = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  const std::int64_t sum = bytes(state_.lane) + bytes(state_.port) + bytes(state_.queues) +
                           bytes(state_.slots) + bytes(cursors_) + bytes(order_) * 3;
  return sum + program_bytes(program_);
}

}  // namespace fabricast
