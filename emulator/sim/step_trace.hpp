// The steps of a collective one by one: of one rank per symmetric class, on one channel.
//
// Times are the engine's own (step_log.hpp), so they equal the naive evaluator's; what a step is
// and whom it talks to follows from the schedule, walked in the order of a lane (semantics 2.2).
// Classes are those that the engine folded, represented by their lowest rank; where it folded
// nothing, every rank is a class of its own, numbered like the rank. Pure function. Cost: one
// evaluation of the channel without jumps, plus O(steps of the lanes that are kept).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/time_window.hpp"
#include "emulator/sim/predict.hpp"
#include "emulator/sim/step_log.hpp"

namespace fabricast {

struct StepTraceRequest {
  std::vector<std::int32_t> classes;  // empty: all
  TimeWindow window;                  // steps that overlap it
  std::int64_t most_rows = 0;         // the first ones by start are kept
};

struct TracedStep {
  static constexpr std::int32_t nobody = -1;   // as a peer
  static constexpr std::int32_t a_group = -2;  // the other members of a group (semantics 1.4)

  std::int32_t rank_class = 0, members = 1, rank = 0, role = 0;
  std::int32_t stage = 0;  // index into StepTrace::stages
  std::int32_t loop = 0, repetition = 0, slice = 0;
  std::int64_t step = 0;    // in its lane, from 0
  std::uint8_t action = 0;  // bits of Action (schedule/step.hpp)
  StepBound bound = StepBound::nothing;
  std::int32_t peer_in = nobody, peer_out = nobody;  // ranks
  std::int64_t bytes = 0;  // that it is charged for (semantics 3), all its messages together
  std::int64_t start_ps = 0, end_ps = 0, ready_ps = 0;  // as in LoggedStep
  bool operator==(const TracedStep&) const = default;
};

struct StepTrace {
  std::int32_t channel = 0;
  std::int32_t classes = 0;  // of the channel, asked for or not
  std::int64_t steps = 0;    // of the classes and the window asked for; rows.size() are kept
  std::int64_t complete_until_ps = 0;  // no step that starts earlier was left out
  std::vector<std::string> stages;
  std::vector<TracedStep> rows;  // by class, role and step
  bool operator==(const StepTrace&) const = default;
};

// `swept` is what evaluate_case said of this channel class, with the same options.
StepTrace trace_steps(const CollectiveCase& made, std::size_t channel_class,
                      const SweepResult& swept, const EngineOptions& options,
                      const StepTraceRequest& request);

// Steps of one rank on one channel: an upper bound for trace_steps, per class.
std::int64_t most_steps_per_rank(const ExecutionPlan& plan);

}  // namespace fabricast
