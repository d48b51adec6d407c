// The data of one step (semantics 2.4, order 2.3): chunk by chunk between message, buffers and
// message.
//
// All threads of a group call move_message() for a step that can go. Where the slots hold lines
// (line_port.hpp) threads wait for lines; such a wait is bounded like all others (stall.hpp), and a
// thread that gives up leaves the step unfinished: the run is stopped then and its data are lost.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/host_device.hpp"
#include "kernels/lane/line_port.hpp"
#include "kernels/lane/line_transfer.hpp"
#include "kernels/lane/program.hpp"
#include "kernels/lane/stall.hpp"
#include "kernels/lane/transfer.hpp"

namespace fabricast::lane {

// The buffers' side of one chunk of a step.
struct ChunkMove {
  std::int64_t count = 0;       // elements
  std::int64_t first_byte = 0;  // in the chunk's block: sender and receiver agree on it
  const std::byte* operand = nullptr;
  std::byte* stored = nullptr;
};

FABRICAST_HOST_DEVICE inline ChunkMove chunk_move(const LaneView& lane, const LaneCursor& at,
                                                  const Step& step, std::int32_t c,
                                                  const RunData& data) {
  const Buffer source = step.source_buffer();
  const Buffer target = step.target_buffer();
  const std::int32_t chunk = lane.layout.listed(static_cast<std::int32_t>(step.source_chunk), c,
                                                step.stride_log2, source == Buffer::scratch);
  const MessagePart part = message_part(lane.layout, at.loop, chunk, at.slice);
  ChunkMove move;
  move.count = part.within.count;
  move.first_byte = lane.layout.packed ? 0 : part.within.first * data.element_bytes;
  if ((step.action & action_recv) == 0 || (step.action & action_reduce) != 0) {
    move.operand = lane.source_address(source, chunk, part, at.loop, data.element_bytes);
  }
  if ((step.action & action_copy) != 0) {
    const std::int32_t to = lane.layout.listed(static_cast<std::int32_t>(step.target_chunk), c,
                                               step.stride_log2, target == Buffer::scratch);
    const MessagePart place = to == chunk ? part : message_part(lane.layout, at.loop, to, at.slice);
    move.stored = lane.target_address(target, to, place, at.loop, data.element_bytes);
  }
  return move;
}

// One chunk between plain memory: `received` and `sent` lie in slots and may be null.
template <class Group>
FABRICAST_HOST_DEVICE inline void move_chunk(const ChunkMove& move, bool reduces,
                                             const std::byte* received, std::byte* sent,
                                             const RunData& data, const Group& group) {
  std::byte* stored = move.stored;
  if (reduces) {
    // Without a message the target is the other operand: target := target + source.
    reduce_part(data.type, data.op, move.count, received != nullptr ? received : stored,
                move.operand, stored, sent, group);
    return;
  }
  const std::byte* value = received != nullptr ? received : move.operand;
  if (value == stored) stored = nullptr;  // in place: already there
  copy_part(data.element_bytes, move.count, value, stored, sent, group);
}

// Simple and MPI. Returns the bytes of the message; an empty one is sent and received like others
// (semantics 2.6).
template <class Port, class Group, class Pause>
FABRICAST_HOST_DEVICE inline std::int64_t move_message(const LaneView& lane, const LaneCursor& at,
                                                       Port& port, const RunData& data,
                                                       const RunControl& /*control*/,
                                                       const Group& group, Pause& /*pause*/) {
  const Step step = lane.steps[at.step];
  if (step.action == action_none) return 0;
  const StepLinks links = lane.links[at.step];
  const bool receives = (step.action & action_recv) != 0;
  const std::byte* message = receives ? port.front(links.in) : nullptr;
  std::byte* slot = (step.action & action_send) != 0 ? port.back(links.out) : nullptr;
  std::int64_t cursor = 0;  // bytes of the message so far
  for (std::int32_t c = 0; c < step.chunk_count; ++c) {
    const ChunkMove move = chunk_move(lane, at, step, c, data);
    const std::int64_t offset = slot_offset(cursor, move.first_byte);
    cursor = offset + move.count * data.element_bytes;
    move_chunk(move, (step.action & action_reduce) != 0, receives ? message + offset : nullptr,
               slot != nullptr ? slot + offset : nullptr, data, group);
  }
  return cursor;
}

namespace detail {

// One thread's wait in the middle of a message.
template <class Pause>
struct LineWait {
  const LaneView& lane;
  const LaneCursor& at;
  const RunControl& control;
  Pause& pause;
  StallWatch watch;

  FABRICAST_HOST_DEVICE bool gives_up() {
    const auto verdict = watch.look(control, pause());
    if (verdict == StallWatch::Verdict::stalled) {
      report_stall(at, lane.index, Wait::message, control);
    }
    return verdict != StallWatch::Verdict::wait;
  }
};

// What of a step is done in one go over its chunks.
enum class LinePass : std::uint8_t { whole, await, store, send };

// A step whose messages have lines.
template <class Port, class Group, class Wait>
struct LineStep {
  using Format = typename Port::Format;
  using Flag = decltype(Format::flag(0));

  const LaneView& lane;
  const LaneCursor& at;
  const Port& port;
  const RunData& data;
  const Group& group;
  Wait& wait;
  Step step;
  StepLinks links;
  std::uint64_t sent = 0;  // messages before this one

  FABRICAST_HOST_DEVICE bool has(std::uint8_t action) const { return (step.action & action) != 0; }

  FABRICAST_HOST_DEVICE LineMove<Flag> line_move(const ChunkMove& chunk, std::int64_t cursor,
                                                 LinePass pass) const {
    LineMove<Flag> move;
    move.lead = lead_of<Format>(chunk.first_byte);
    move.end = move.lead + chunk.count * data.element_bytes;
    move.ordered = port.ordered;
    if (has(action_recv) && pass != LinePass::send) {
      move.lines_in = port.front(links.in) + cursor;
      move.flag_in = Format::flag(port.received(links.in));
    }
    if (pass == LinePass::await) return move;
    move.operand = pass == LinePass::send ? chunk.stored : chunk.operand;
    if (pass != LinePass::send) move.stored = chunk.stored;
    if (!has(action_recv) && move.stored == move.operand) move.stored = nullptr;  // already there
    if (has(action_send) && pass != LinePass::store) {
      move.lines_out = port.back(links.out) + cursor;
      move.flag_out = Format::flag(sent);
    }
    return move;
  }

  // False: this thread gave up. `bytes`: of the message's lines.
  FABRICAST_HOST_DEVICE bool run(LinePass pass, std::int64_t& bytes) const {
    bytes = 0;
    for (std::int32_t c = 0; c < step.chunk_count; ++c) {
      const auto move = line_move(chunk_move(lane, at, step, c, data), bytes, pass);
      if (!move_lines(Format{}, move, port, group, PieceReduction{data.type, data.op}, wait)) {
        return false;
      }
      bytes += Format::wire_bytes(move.end);
    }
    return true;
  }

  // Lanes that share data: the whole message is there before the step reads or writes anything, and
  // all that the step has done is done before its own message begins.
  FABRICAST_HOST_DEVICE bool run_ordered(std::int64_t& bytes) const {
    bool going = true;
    if (has(action_recv)) {
      going = run(LinePass::await, bytes);
      order_lanes<Port::across_devices>();
      group.sync();
    }
    const bool both = has(action_copy) && has(action_send);
    if (both) {
      going = going && run(LinePass::store, bytes);
      group.sync();
    }
    if (has(action_send) && group.index() < Group::team_size) {
      order_lanes<Port::across_devices>();
    }
    return going && run(both ? LinePass::send : LinePass::whole, bytes);
  }
};

}  // namespace detail

// LL and LL128. Returns the bytes of the message's lines.
template <HasLines Port, class Group, class Pause>
FABRICAST_HOST_DEVICE inline std::int64_t move_message(const LaneView& lane, const LaneCursor& at,
                                                       Port& port, const RunData& data,
                                                       const RunControl& control,
                                                       const Group& group, Pause& pause) {
  using Format = typename Port::Format;
  using Awaits = detail::LineWait<Pause>;
  const Step step = lane.steps[at.step];
  const bool sends = (step.action & action_send) != 0;
  if (!sends && (step.action & action_recv) == 0) {
    for (std::int32_t c = 0; step.action != action_none && c < step.chunk_count; ++c) {
      move_chunk(chunk_move(lane, at, step, c, data), (step.action & action_reduce) != 0, nullptr,
                 nullptr, data, group);
    }
    return 0;
  }
  pause.reset();
  Awaits wait{lane, at, control, pause, {}};
  const StepLinks links = lane.links[at.step];
  const std::uint64_t sent = sends ? port.sent(links.out) : 0;
  const detail::LineStep<Port, Group, Awaits> work{lane, at,   port,  data, group,
                                                   wait, step, links, sent};
  std::int64_t bytes = 0;
  const bool done =
      port.ordered ? work.run_ordered(bytes) : work.run(detail::LinePass::whole, bytes);
  if (done && sends && Format::refreshes(sent, port.depth)) {
    std::byte* slot = port.back(links.out);
    for (std::int64_t line = bytes + piece_wire_bytes * group.index(); line < port.slot_bytes;
         line += piece_wire_bytes * group.size()) {
      store_line(LlFormat{}, slot + line, LlFormat::flag(sent), port.ordered, Piece{});
    }
  }
  return bytes;
}

}  // namespace fabricast::lane
