// What a log is told of the steps of WiredRun.
#include <algorithm>

#include "emulator/sim/wired_run.hpp"

namespace fabricast {

void WiredRun::note_step(std::int32_t lane, const WiredStep& step, std::int64_t start,
                         std::int64_t data_ready, std::int64_t slot_free) {
  const std::int32_t position = lane / program_.roles;
  if (!log_->watches(position)) return;
  const auto at = static_cast<std::size_t>(lane);
  LoggedStep entry;
  entry.column = position;
  entry.role = lane % program_.roles;
  entry.start_ps = start;
  entry.end_ps = start + step.lane;
  entry.bound = bound_of(start, state_.lane[at], data_ready, slot_free);
  if (slot_free >= 0) {  // it sends
    const std::int64_t port = std::max(state_.port[at], start) + step.port;
    entry.ready_ps = std::max(entry.end_ps, port) + step.latency;
  }
  log_->add(entry);
}

void WiredRun::note_wide_step(std::int32_t lane, const WiredSegment& segment, const WiredStep& step,
                              std::int64_t start) {
  if (!log_->watches(lane / program_.roles)) return;
  const WideStep& wide = segment.wide_steps[step.wide_index()];
  const std::int32_t* connections = segment.wide_connections.data() + wide.first;
  std::int64_t data_ready = -1, slot_free = -1;
  for (std::int32_t i = 0; i < wide.ins + wide.outs; ++i) {
    const auto queue = static_cast<std::size_t>(connections[i]);
    const std::size_t slots = queue * static_cast<std::size_t>(program_.depth);
    const auto slot = [&](std::int32_t n) { return slots + static_cast<std::size_t>(n); };
    if (i < wide.ins) {
      data_ready = std::max(data_ready, state_.ready[slot(state_.queues[queue].received_slot)]);
    } else {
      slot_free = std::max(slot_free, state_.credit[slot(state_.queues[queue].sent_slot)]);
    }
  }
  note_step(lane, step, start, data_ready, slot_free);
}

}  // namespace fabricast
