// Where every lane of a wired program stands: all of an evaluation but the clocks.
//
// Whether a lane can go on depends on messages and slots, never on when they came (semantics 2.5):
// one pass of control serves any number of cost sets (WiredRun in wired_run.hpp). Invariant: a lane
// that stopped before its limit has left its number with the queue or the mark it waits for.
// Not thread safe. Storage is sized by the constructor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/sim/wired_program.hpp"
#include "emulator/sim/wired_state.hpp"

namespace fabricast {

// A lane's place in its program. `ordinal` counts repetitions over all loops and segments.
struct WiredCursor {
  std::int64_t ordinal = 0;
  std::int64_t segment_end = 0;  // ordinal at which the segment is over
  std::int32_t loop = 0;
  std::int32_t segment = 0;
  std::int32_t slice = 0;
  std::int32_t step = 0;  // index into the segment's steps
};

class WiredControl {
 protected:
  WiredControl(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
               std::size_t members);

  std::int64_t slot_received(std::int32_t connection) const {
    return std::int64_t{connection} * program_.depth +
           state_.queues[static_cast<std::size_t>(connection)].received_slot;
  }
  std::int64_t slot_sent(std::int32_t connection) const {
    return std::int64_t{connection} * program_.depth +
           state_.queues[static_cast<std::size_t>(connection)].sent_slot;
  }
  // False: nothing is there (no slot is free), and the lane has left its number.
  bool can_receive(std::int32_t lane, std::int32_t connection);
  bool can_send(std::int32_t lane, std::int32_t connection);
  // The message is taken (sent): counts it and wakes who waits for that.
  void received(std::int32_t connection);
  void sent(std::int32_t connection);
  // All that a step with several messages waits for.
  bool wide_step_can_start(std::int32_t lane, const WiredSegment& segment, const WideStep& step);
  // The mark that stands for the end of that lane's segment, and the loop whose end a step awaits.
  std::size_t mark_of(const WideStep& step) const;
  std::int32_t awaited_loop(std::int32_t lane, const WideStep& step) const;
  // The lane has left a segment: its mark, or -1; wakes who waits for it.
  std::int32_t pass_mark(std::int32_t lane, const WiredCursor& cursor);
  std::string what_blocks(std::int32_t lane) const;
  [[noreturn]] void report_deadlock() const;
  std::int64_t state_bytes() const;

  const WiredProgram& program_;
  std::int32_t loops_, slices_;
  std::int64_t ordinals_per_loop_ = 0;
  WiredState state_;
  std::vector<WiredCursor> cursors_;
  std::vector<std::int32_t> order_, next_order_;  // lanes, in the order they last finished
  std::vector<std::int32_t> runnable_;
  struct Mark {
    std::int32_t loops_done = 0;
    std::vector<std::int32_t> waiting;
  };
  std::vector<Mark> marks_;
  std::vector<std::int32_t> mark_at_;  // [lane * segments + segment], -1; empty without marks
};

}  // namespace fabricast
