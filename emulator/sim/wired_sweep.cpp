#include "emulator/sim/wired_sweep.hpp"

#include <algorithm>
#include <limits>

#include "emulator/sim/lane_stream.hpp"
#include "emulator/sim/wired_run.hpp"

namespace fabricast {
namespace {

constexpr auto never_started = std::numeric_limits<std::int64_t>::max();

// The clocks of one cost set, the one in the steps.
class OwnClocks {
 public:
  static constexpr std::size_t members = 1;

  OwnClocks(const WiredProgram& program, StepLog* log)
      : roles_(program.roles), log_(log), spans_(program.stage_names.size(), {never_started, 0}) {}

  void step(WiredState& state, const WiredPlace& place, std::int64_t in, std::int64_t out) {
    const std::int64_t data_ready = in >= 0 ? state.slots[static_cast<std::size_t>(in)] : -1;
    // 0 until the slot was used once.
    const std::int64_t slot_free = out >= 0 ? state.slots[static_cast<std::size_t>(out)] : -1;
    const auto at = static_cast<std::size_t>(place.lane);
    start_ = std::max(state.lane[at], std::max(data_ready, slot_free));
    if (log_ != nullptr) [[unlikely]]
      note(state, place, data_ready, slot_free);
    advance(state, place, out >= 0);
    if (in >= 0) give_credit(state, in);
    if (out >= 0) give_ready(state, out);
  }

  void gather(const WiredState& state, const WiredPlace& place) {
    start_ = state.lane[static_cast<std::size_t>(place.lane)];
    data_ready_ = slot_free_ = -1;
  }
  void gather_mark(const std::int64_t* end) { start_ = std::max(start_, *end); }
  void gather_ready(const WiredState& state, std::int64_t slot) {
    data_ready_ = std::max(data_ready_, state.slots[static_cast<std::size_t>(slot)]);
  }
  void gather_credit(const WiredState& state, std::int64_t slot) {
    slot_free_ = std::max(slot_free_, state.slots[static_cast<std::size_t>(slot)]);
  }
  void wide_step(WiredState& state, const WiredPlace& place, bool, bool sends) {
    start_ = std::max(start_, std::max(data_ready_, slot_free_));
    if (log_ != nullptr) [[unlikely]]
      note(state, place, data_ready_, slot_free_);
    advance(state, place, sends);
  }
  void give_credit(WiredState& state, std::int64_t slot) const {
    state.slots[static_cast<std::size_t>(slot)] = credit_;
  }
  void give_ready(WiredState& state, std::int64_t slot) const {
    state.slots[static_cast<std::size_t>(slot)] = ready_;
  }
  LaneBlockKernel block_kernel() const {
    return log_ == nullptr ? lane_block_kernel(InstructionSet::baseline, members) : nullptr;
  }
  const std::int64_t* block_costs(const WiredSegment&) const { return nullptr; }
  void note_end(const WiredState& state, std::int32_t lane, std::int32_t stage) {
    auto& end = spans_[static_cast<std::size_t>(stage)].end_ps;
    end = std::max(end, state.lane[static_cast<std::size_t>(lane)]);
  }

  std::vector<StageSpan> spans() const {
    auto spans = spans_;
    for (StageSpan& span : spans) {
      if (span.start_ps == never_started) span = {};
    }
    return spans;
  }

 private:
  void advance(WiredState& state, const WiredPlace& place, bool sends) {
    const auto at = static_cast<std::size_t>(place.lane);
    const std::int64_t end = start_ + place.step.costs[lane_cost];
    state.lane[at] = end;
    credit_ = end + place.step.costs[credit_cost];
    if (sends) {
      state.port[at] = std::max(state.port[at], start_) + place.step.costs[port_cost];
      ready_ = std::max(end, state.port[at]) + place.step.costs[latency_cost];
    }
    if (place.opens) {
      auto& first = spans_[static_cast<std::size_t>(place.segment.stage)].start_ps;
      first = std::min(first, start_);
    }
  }

  // Before the clocks move: the step for the log, if that watches the lane.
  void note(const WiredState& state, const WiredPlace& place, std::int64_t data_ready,
            std::int64_t slot_free) {
    const std::int32_t position = place.lane / roles_;
    if (!log_->watches(position)) return;
    const auto at = static_cast<std::size_t>(place.lane);
    LoggedStep entry;
    entry.column = position;
    entry.role = place.lane % roles_;
    entry.start_ps = start_;
    entry.end_ps = start_ + place.step.costs[lane_cost];
    entry.bound = bound_of(start_, state.lane[at], data_ready, slot_free);
    if (slot_free >= 0) {  // it sends
      const std::int64_t port = std::max(state.port[at], start_) + place.step.costs[port_cost];
      entry.ready_ps = std::max(entry.end_ps, port) + place.step.costs[latency_cost];
    }
    log_->add(entry);
  }

  std::int32_t roles_;
  StepLog* log_;  // null: nothing is noted
  std::vector<StageSpan> spans_;
  // Of the step at hand.
  std::int64_t start_ = 0, data_ready_ = 0, slot_free_ = 0, credit_ = 0, ready_ = 0;
};

EngineOutcome stream(const WiredProgram& program, std::int32_t loops, std::int32_t slices) {
  OwnTurns kernel;
  LaneStream lanes(program, loops, slices, 1, kernel);
  lanes.run();
  EngineOutcome result;
  result.makespan_ps = lanes.ends_ps().front();
  result.stages.resize(program.stage_names.size());
  if (lanes.first_start_ps() < never_started) {
    result.stages[static_cast<std::size_t>(program.segments.front().stage)] = {
        lanes.first_start_ps(), result.makespan_ps};
  }
  result.updates = lanes.updates();
  result.state_bytes = lanes.state_bytes();
  return result;
}

}  // namespace

EngineOutcome wired_sweep(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
                          bool jump, StepLog* log) {
  if (log == nullptr && LaneStream::applies(program)) {
    const bool may_jump = jump && WiredPeriod::applies(program.segments.front(),
                                                       WiredPeriod::window(program, slices));
    if (!may_jump) return stream(program, loops, slices);
  }
  OwnClocks clocks(program, log);
  WiredRun<OwnClocks> run(program, loops, slices, jump && log == nullptr, clocks);
  run.run();
  EngineOutcome result;
  for (const std::int64_t end : run.state().lane) {
    result.makespan_ps = std::max(result.makespan_ps, end);
  }
  result.stages = clocks.spans();
  result.updates = run.updates();
  result.skipped = run.skipped();
  result.state_bytes = run.state_bytes();
  return result;
}

}  // namespace fabricast
