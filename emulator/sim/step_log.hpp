// What engines note of single steps when they are asked to: when, and what the start waited for.
//
// An engine with a log evaluates every step (no periodic jump, no blocks) and reports those of the
// watched columns, lane by lane in order. Columns are what the engine evaluates: positions, or
// classes of positions where it folds. Of the steps in the window the log keeps the first `most` by
// start, in O(most) memory, and counts all. Deterministic, whatever the order of lanes. Not thread
// safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "emulator/base/time_window.hpp"

namespace fabricast {

// The term of docs/semantics.md 3.1 that decided a start; of several at once the first one here.
enum class StepBound : std::uint8_t {
  nothing,     // it starts at 0
  lane,        // the step before it in its lane
  data,        // the message it receives
  slot,        // a free slot to send into
  other_lane,  // another lane of its rank (semantics 2.7)
};

struct LoggedStep {
  std::int32_t column = 0;
  std::int32_t role = 0;
  std::int64_t step = 0;  // in its lane, from 0
  std::int64_t start_ps = 0;
  std::int64_t end_ps = 0;
  std::int64_t ready_ps = 0;  // when its message is ready at the receiver; 0 if it sends none
  StepBound bound = StepBound::nothing;
  bool operator==(const LoggedStep&) const = default;
};

class StepLog {
 public:
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  // Watches these columns, all roles.
  StepLog(std::vector<std::int32_t> columns, std::int32_t roles, TimeWindow window = {},
          std::size_t most = no_limit);

  const std::vector<std::int32_t>& columns() const { return columns_; }
  bool watches(std::int32_t column) const {
    return static_cast<std::size_t>(column) < index_of_.size() &&
           index_of_[static_cast<std::size_t>(column)] >= 0;
  }
  // The next step of a watched lane: `entry.step` is numbered here.
  void add(LoggedStep entry);
  // Forgets everything: another engine starts over.
  void restart();

  // Steps of watched columns in the window, kept or not.
  std::int64_t found() const { return found_; }
  // All steps that start before this are kept; the largest number if nothing is left out.
  std::int64_t complete_until_ps() const;
  // By column, role and step. Ends the log.
  std::vector<LoggedStep> take();

 private:
  std::vector<std::int32_t> columns_;
  std::vector<std::int32_t> index_of_;  // by column, -1: not watched
  std::int32_t roles_;
  TimeWindow window_;
  std::size_t most_;
  std::vector<std::int64_t> next_;  // per watched lane
  std::vector<LoggedStep> kept_;    // a heap, latest first, once `most_` are there
  std::int64_t found_ = 0;
};

// Which term equals the start; negative for terms that the step does not have.
StepBound bound_of(std::int64_t start_ps, std::int64_t lane_free, std::int64_t data_ready,
                   std::int64_t slot_free);

}  // namespace fabricast
