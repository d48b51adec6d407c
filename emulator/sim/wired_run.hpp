// One evaluation of a wired program: the state behind wired_sweep.hpp.
//
// Invariant: a lane that stopped before its limit has left its number with the queue or the mark it
// waits for.
// Not thread safe. Storage is sized by the constructor.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "emulator/sim/engine_outcome.hpp"
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

class WiredRun {
 public:
  WiredRun(const WiredProgram& program, std::int32_t loops, std::int32_t slices, bool jump,
           StepLog* log = nullptr);
  void run();
  EngineOutcome outcome() const;

 private:
  static constexpr auto never_started = std::numeric_limits<std::int64_t>::max();

  bool run_segment(std::int64_t start, const WiredSegment& segment);
  bool run_until(std::int64_t limit);
  void run_lane(std::int32_t lane, std::int64_t limit);
  // Executes slices of one repetition; false when the lane blocked.
  bool run_repetition(std::int32_t lane, WiredCursor& cursor, const WiredSegment& segment);
  bool try_step(std::int32_t lane, const WiredStep& step, std::int64_t& span_start);
  bool try_wide_step(std::int32_t lane, const WiredSegment& segment, const WiredStep& step,
                     std::int64_t& span_start);
  bool wide_step_can_start(std::int32_t lane, const WiredSegment& segment, const WideStep& step,
                           std::int64_t& start);
  // Before the clocks move: the step for the log, if that watches the lane (wired_log.cpp).
  void note_step(std::int32_t lane, const WiredStep& step, std::int64_t start,
                 std::int64_t data_ready, std::int64_t slot_free);
  void note_wide_step(std::int32_t lane, const WiredSegment& segment, const WiredStep& step,
                      std::int64_t start);
  void note_mark(std::int32_t lane, const WiredCursor& cursor);
  std::string what_blocks(std::int32_t lane) const;
  void next_segment(WiredCursor& cursor, std::int32_t lane);
  [[noreturn]] void report_deadlock() const;

  const WiredProgram& program_;
  std::int32_t loops_, slices_;
  bool jump_;
  StepLog* log_;  // null: nothing is noted
  std::int64_t ordinals_per_loop_ = 0;
  WiredState state_;
  std::vector<WiredCursor> cursors_;
  std::vector<std::int32_t> order_, next_order_;  // lanes, in the order they last finished
  std::vector<std::int32_t> runnable_;
  std::vector<StageSpan> spans_;
  // Per mark when its segment ended in each loop, as far as it has, and who waits for that.
  struct Mark {
    std::vector<std::int64_t> ends;
    std::vector<std::int32_t> waiting;
  };
  std::vector<Mark> marks_;
  std::vector<std::int32_t> mark_at_;  // [lane * segments + segment], -1; empty without marks
  std::int64_t updates_ = 0, skipped_ = 0;
};

}  // namespace fabricast
