// WiredRun in blocks: where lanes have an order (lane_order.hpp), repetitions without control.
//
// Part of wired_run.hpp, which includes it. Queues and cursors are left as control would leave
// them.
#pragma once

#include <algorithm>

#include "emulator/sim/wired_run.hpp"

namespace fabricast {

// Null where there is none, where a repetition takes more slots than there are, or where a message
// of an earlier stage is still on its way.
template <class Clocks>
const LaneOrder* WiredRun<Clocks>::order_of(const WiredSegment& segment) {
  if (!segment.order || slices_ > program_.depth) return nullptr;
  const auto& used = segment.order->connections;
  const bool empty = std::all_of(used.begin(), used.end(), [this](std::int32_t c) {
    const WiredQueue& queue = state_.queues[static_cast<std::size_t>(c)];
    return queue.sent == queue.received;
  });
  return empty ? &*segment.order : nullptr;
}

template <class Clocks>
void WiredRun<Clocks>::run_block(const LaneOrder& order, const WiredSegment& segment,
                                 std::int32_t repetitions) {
  if (!run_kernel(order, segment, repetitions * slices_)) {
    for (const std::int32_t lane : order.lanes) run_lane_steps(lane, segment, repetitions);
  }
  for (std::int32_t lane = 0; lane < program_.lanes; ++lane) {
    WiredCursor& cursor = cursors_[static_cast<std::size_t>(lane)];
    cursor.ordinal += repetitions;
    if (cursor.ordinal == cursor.segment_end) next_segment(cursor, lane);
  }
}

// False where steps have to be taken one by one.
template <class Clocks>
bool WiredRun<Clocks>::run_kernel(const LaneOrder& order, const WiredSegment& segment,
                                  std::int32_t rounds) {
  if constexpr (requires { clocks_.block_kernel(); }) {
    const LaneBlockKernel kernel = clocks_.block_kernel();
    if (kernel == nullptr || order.wide || order.most_steps > LaneBlock::max_steps) return false;
    if (order.connections.empty()) return false;
    LaneBlock block{order.lanes, segment.begin.data(), segment.steps.data(),
                    clocks_.block_costs(segment)};
    block.lane = state_.lane.data();
    block.port = state_.port.data();
    block.slots = state_.slots.data();
    block.depth = program_.depth;
    block.slot = state_.queues[static_cast<std::size_t>(order.connections.front())].sent_slot;
    block.rounds = rounds;
    for (const std::int32_t c : order.connections) {
      if (state_.queues[static_cast<std::size_t>(c)].sent_slot != block.slot) return false;
    }
    kernel(block);
    const std::int32_t next = (block.slot + rounds) % program_.depth;
    for (const std::int32_t c : order.connections) {
      WiredQueue& queue = state_.queues[static_cast<std::size_t>(c)];
      queue.sent += rounds;
      queue.received += rounds;
      queue.sent_slot = queue.received_slot = next;
    }
    updates_ += static_cast<std::int64_t>(segment.steps.size()) * rounds;
    return true;
  }
  return false;
}

template <class Clocks>
void WiredRun<Clocks>::run_lane_steps(std::int32_t lane, const WiredSegment& segment,
                                      std::int32_t repetitions) {
  const auto at = static_cast<std::size_t>(lane);
  for (std::int32_t round = 0; round < repetitions * slices_; ++round) {
    for (std::int32_t s = segment.begin[at]; s < segment.begin[at + 1]; ++s) {
      const WiredStep& step = segment.steps[static_cast<std::size_t>(s)];
      const WiredPlace place{lane, segment, step};
      if (step.is_wide()) {
        do_wide_step(place, segment.wide_steps[step.wide_index()]);
      } else {
        do_step(place);
      }
    }
  }
}

}  // namespace fabricast
