// One evaluation of a uniform program: the state behind uniform_sweep.hpp.
//
// Invariant: message n of a family lives in row n mod rows of its ready rows, its credit in the
// same row of the credit rows. Not thread safe. Storage is sized by the constructor; only phases
// whose peers vary build short run lists while running.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/sim/engine_outcome.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/row_kernels.hpp"
#include "emulator/sim/uniform_program.hpp"

namespace fabricast {

class UniformRun {
 public:
  UniformRun(UniformProgram& program, const StepCosts& costs, std::int32_t loops,
             std::int32_t slices, InstructionSet set, bool jump, StepLog* log = nullptr,
             const Communicator* team = nullptr);
  // By column: 0 unless they are set before the run, afterwards when the role's lanes have ended.
  std::span<std::int64_t> lane(std::int32_t role) { return clocks(lane_, role); }
  std::span<std::int64_t> port(std::int32_t role) { return clocks(port_, role); }

  bool run();
  EngineOutcome outcome() const;

 private:
  struct Counters {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::size_t first_row = 0;  // in ready_ and, if kept, credit_
  };

  friend class UniformPeriod;

  bool run_stage(std::size_t stage, std::int32_t loop);
  bool run_repetition(std::size_t stage, std::int32_t k, bool opens_stage);
  bool run_step(const UniformPhase& phase, const std::vector<ColumnRun>& runs, std::int32_t k);
  bool runs_in_blocks(std::size_t stage) const;
  void run_in_blocks(std::size_t stage);
  bool exchanges(std::size_t stage) const;
  void run_exchange(std::size_t stage);
  // The costs of a phase that varies, in repetition k. False: they are those it had.
  bool refill(UniformPhase& phase, std::int32_t k);
  const std::vector<ColumnRun>& runs_of(const UniformPhase& phase, std::int32_t k);
  void reset_pooled(const UniformPhase& phase, std::int32_t k);
  void note_start(StageSpan& span, const UniformPhase& phase) const;
  void note_end(std::size_t stage);
  // Before and after a row of steps: what the log wants of it (uniform_log.cpp).
  void note_lanes(const RowStep& step);
  void note_steps(const UniformPhase& phase, const std::vector<ColumnRun>& runs,
                  const RowStep& step);
  std::span<std::int64_t> clocks(std::vector<std::int64_t>& rows, std::int32_t role) const {
    return {row(rows, static_cast<std::size_t>(role)), columns_};
  }
  std::int64_t* row(std::vector<std::int64_t>& rows, std::size_t index) const {
    return rows.data() + index * columns_;
  }

  UniformProgram& program_;
  const StepCosts& costs_;
  std::int32_t loops_, slices_;
  InstructionSet set_;
  bool jump_;
  StepLog* log_;                            // null: nothing is noted
  const Communicator* team_;                // null: no one shares long rings
  std::vector<std::int64_t> lanes_before_;  // of the log's columns, for the current step
  std::size_t columns_;
  std::vector<Counters> counters_;         // per family
  std::vector<std::int64_t> lane_, port_;  // [role][column]
  std::vector<std::int64_t> ready_, credit_;
  std::vector<std::int64_t> zeros_, unread_;  // a slot that is free; credits nobody waits for
  std::vector<std::int64_t> others_ready_, others_credit_;  // of groups, for the current step
  std::vector<ColumnRun> varying_runs_;
  // Of families that return in later repetitions, [2 * family + sends]; empty where they do not, or
  // would fill the memory.
  std::vector<std::vector<ColumnRun>> known_runs_;
  std::vector<StageSpan> spans_;
  std::int64_t updates_ = 0, skipped_ = 0;
  std::int64_t block_bytes_ = 0;
};

}  // namespace fabricast
