#include "emulator/sim/uniform_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "emulator/base/error.hpp"
#include "emulator/sim/ring_block.hpp"
#include "emulator/sim/row_kernels.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t max_state_bytes = std::int64_t{4} << 30;

// The clocks and slots of one run. Message n of a family lives in row n mod rows.
class UniformRun {
 public:
  UniformRun(UniformProgram& program, const StepCosts& costs, std::int32_t loops,
             std::int32_t slices, InstructionSet set);
  bool run();
  EngineOutcome outcome() const;

 private:
  struct Counters {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::size_t first_row = 0;  // in ready_ and, if kept, credit_
  };

  bool run_stage(std::size_t stage, std::int32_t loop);
  bool run_repetition(std::size_t stage, std::int32_t k, bool opens_stage);
  bool run_step(const UniformPhase& phase, const std::vector<ColumnRun>& runs, std::int32_t k);
  bool runs_in_blocks(std::size_t stage) const;
  void run_in_blocks(std::size_t stage);
  void refill(UniformPhase& phase, std::int32_t k);
  void reset_pooled(const UniformPhase& phase, std::int32_t k);
  void note_start(StageSpan& span, const UniformPhase& phase) const;
  void note_end(std::size_t stage);
  std::int64_t* row(std::vector<std::int64_t>& rows, std::size_t index) const {
    return rows.data() + index * columns_;
  }

  UniformProgram& program_;
  const StepCosts& costs_;
  std::int32_t loops_, slices_;
  InstructionSet set_;
  std::size_t columns_;
  std::vector<Counters> counters_;          // per family
  std::vector<std::int64_t> lane_, port_;   // [role][column]
  std::vector<std::int64_t> ready_, credit_;
  std::vector<std::int64_t> zeros_, unread_;  // a slot that is free; credits nobody waits for
  std::vector<ColumnRun> varying_runs_;
  std::vector<StageSpan> spans_;
  std::int64_t updates_ = 0;
  std::int64_t block_bytes_ = 0;
};

UniformRun::UniformRun(UniformProgram& program, const StepCosts& costs, std::int32_t loops,
                       std::int32_t slices, InstructionSet set)
    : program_(program),
      costs_(costs),
      loops_(loops),
      slices_(slices),
      set_(set),
      columns_(static_cast<std::size_t>(program.columns)) {
  std::size_t ready_rows = static_cast<std::size_t>(program.pools) *
                           static_cast<std::size_t>(program.pool_rows);
  std::size_t credit_rows = 0;
  for (const Family& family : program.families) {
    Counters counters;
    if (family.pool >= 0) {
      counters.first_row = static_cast<std::size_t>(family.pool) *
                           static_cast<std::size_t>(program.pool_rows);
    } else {
      counters.first_row = ready_rows;
      ready_rows += static_cast<std::size_t>(family.rows);
      if (family.credits) credit_rows = ready_rows;  // same index in both
    }
    counters_.push_back(counters);
  }
  const std::size_t roles = static_cast<std::size_t>(program.roles);
  const auto bytes = static_cast<std::int64_t>((ready_rows + credit_rows) * columns_ * 8);
  if (bytes > max_state_bytes) {
    throw UsageError(fmt::format("the sweep would need {} MB for messages in flight (peers vary and "
                                 "return in every loop); use fewer ranks or loops",
                                 bytes / 1'000'000));
  }
  lane_.assign(roles * columns_, 0);
  port_.assign(roles * columns_, 0);
  ready_.assign(ready_rows * columns_, 0);
  credit_.assign(credit_rows * columns_, 0);
  zeros_.assign(columns_, 0);
  unread_.assign(columns_, 0);
  spans_.resize(program.stages.size());
}

bool UniformRun::run() {
  for (std::int32_t loop = 0; loop < loops_; ++loop) {
    for (std::size_t s = 0; s < program_.stages.size(); ++s) {
      if (!run_stage(s, loop)) return false;
      if (loop == loops_ - 1) note_end(s);
    }
  }
  return true;
}

bool UniformRun::run_stage(std::size_t stage, std::int32_t loop) {
  const std::int32_t repeat = program_.stage_repeat[stage];
  for (std::int32_t k = 0; k < repeat; ++k) {
    if (!run_repetition(stage, k, loop == 0 && k == 0)) return false;
    if (k == 0 && runs_in_blocks(stage)) {
      run_in_blocks(stage);
      break;
    }
  }
  return true;
}

bool UniformRun::run_repetition(std::size_t stage, std::int32_t k, bool opens_stage) {
  for (UniformPhase& phase : program_.stages[stage]) {
    if (phase.flat.varies) refill(phase, k);
    reset_pooled(phase, k);
  }
  StageSpan& span = spans_[stage];
  if (opens_stage && !program_.stages[stage].empty()) {
    span.start_ps = std::numeric_limits<std::int64_t>::max();
  }
  for (std::int32_t slice = 0; slice < slices_; ++slice) {
    for (const UniformPhase& phase : program_.stages[stage]) {
      if (phase.flat.varies) {
        const ShiftMap stay{1, program_.positions, 0};
        const auto map = [&](const std::vector<std::int32_t>& families) {
          return families.empty()
                     ? stay
                     : program_.families[static_cast<std::size_t>(families[phase.at(k)])].map;
        };
        build_runs(inverse(map(phase.in_family), program_.positions), map(phase.out_family),
                   program_.positions, varying_runs_);
      }
      if (!run_step(phase, phase.flat.varies ? varying_runs_ : phase.runs, k)) return false;
      if (opens_stage && slice == 0) note_start(span, phase);
    }
  }
  return true;
}

void UniformRun::refill(UniformPhase& phase, std::int32_t k) {
  phase.costs.fill(costs_, phase.flat, k);
}

// A pooled family has no message left from earlier loops and takes the rows over.
void UniformRun::reset_pooled(const UniformPhase& phase, std::int32_t k) {
  for (const auto* families : {&phase.in_family, &phase.out_family}) {
    if (families->empty()) continue;
    const auto id = static_cast<std::size_t>((*families)[phase.at(k)]);
    if (program_.families[id].pool >= 0) counters_[id].sent = counters_[id].received = 0;
  }
}

bool UniformRun::run_step(const UniformPhase& phase, const std::vector<ColumnRun>& runs, std::int32_t k) {
  RowStep step;
  step.ready_in = step.credit_in = zeros_.data();
  step.ready_out = step.credit_out = unread_.data();
  const auto role = static_cast<std::size_t>(phase.flat.phase->role);
  step.lane = row(lane_, role);
  step.port = row(port_, role);
  step.lane_cost = phase.costs.lane.data();
  step.port_cost = phase.costs.port.data();
  step.latency = phase.costs.latency.data();
  step.credit_cost = phase.costs.credit.data();
  const auto slot = [](const Counters& counters, std::int64_t message, const Family& family) {
    return counters.first_row + static_cast<std::size_t>(message % family.rows);
  };
  Counters* in = nullptr;
  Counters* out = nullptr;
  if (phase.flat.receives) {
    const auto id = static_cast<std::size_t>(phase.in_family[phase.at(k)]);
    const Family& family = program_.families[id];
    in = &counters_[id];
    if (in->received >= in->sent) return false;
    step.ready_in = row(ready_, slot(*in, in->received, family));
    if (family.credits) step.credit_out = row(credit_, slot(*in, in->received, family));
  }
  if (phase.flat.sends) {
    const auto id = static_cast<std::size_t>(phase.out_family[phase.at(k)]);
    const Family& family = program_.families[id];
    out = &counters_[id];
    if (out->sent - out->received >= program_.depth) return false;
    step.ready_out = row(ready_, slot(*out, out->sent, family));
    // Row of message sent - depth: zeros until the slot was used once.
    if (family.credits) step.credit_in = row(credit_, slot(*out, out->sent, family));
  }
  row_kernel(set_, phase.flat.receives, phase.flat.sends)(step, runs);
  if (in != nullptr) ++in->received;
  if (out != nullptr) ++out->sent;
  updates_ += static_cast<std::int64_t>(columns_);
  return true;
}

// Is this stage a ring over all columns, long and wide enough for blocks to pay?
bool UniformRun::runs_in_blocks(std::size_t stage) const {
  constexpr std::int32_t least_columns = 256;
  constexpr std::int32_t least_steps = 32;
  if (program_.stages[stage].size() != 1 || program_.columns < least_columns) return false;
  const UniformPhase& phase = program_.stages[stage].front();
  if (phase.flat.varies || !phase.flat.receives || !phase.flat.sends) return false;
  if (phase.in_family != phase.out_family) return false;
  const auto id = static_cast<std::size_t>(phase.in_family.front());
  const std::int64_t in_flight = counters_[id].sent - counters_[id].received;
  return program_.families[id].credits && in_flight >= 1 && in_flight < program_.depth &&
         (program_.stage_repeat[stage] - 1) * slices_ >= least_steps &&
         std::all_of(phase.runs.begin(), phase.runs.end(), [this](const ColumnRun& run) {
           return (run.in_delta + 1) % program_.columns == 0 &&
                  (run.out_delta - 1) % program_.columns == 0;
         });
}

// All repetitions of a ring stage but the first (which opened the stage's span).
void UniformRun::run_in_blocks(std::size_t stage) {
  const UniformPhase& phase = program_.stages[stage].front();
  const auto id = static_cast<std::size_t>(phase.in_family.front());
  const auto role = static_cast<std::size_t>(phase.flat.phase->role);
  Counters& counters = counters_[id];
  const auto in_flight = static_cast<std::int32_t>(counters.sent - counters.received);
  const std::int32_t depth = program_.depth;
  RingBlock block(program_.columns, in_flight, depth, phase.costs, set_);
  const auto family_row = [&](std::vector<std::int64_t>& rows, std::int64_t message) {
    return row(rows, counters.first_row + static_cast<std::size_t>(message % depth));
  };
  const auto exchange = [&](auto copy) {
    copy(row(lane_, role), block.lane());
    copy(row(port_, role), block.port());
    for (std::int32_t i = 0; i < in_flight; ++i) {
      copy(family_row(ready_, counters.received + i), block.ready(i));
    }
    for (std::int32_t i = 0; i < depth - in_flight; ++i) {
      const std::int64_t message = counters.received - (depth - in_flight) + i;
      if (message >= 0) copy(family_row(credit_, message), block.credit(i));  // else free since 0
    }
  };
  exchange([this](const std::int64_t* ours, std::int64_t* theirs) {
    std::copy(ours, ours + columns_, theirs);
  });
  const std::int64_t steps =
      (std::int64_t{program_.stage_repeat[stage]} - 1) * slices_;
  block.advance(steps);
  counters.sent += steps;
  counters.received += steps;
  exchange([this](std::int64_t* ours, const std::int64_t* theirs) {
    std::copy(theirs, theirs + columns_, ours);
  });
  updates_ += steps * static_cast<std::int64_t>(columns_);
  block_bytes_ = std::max(block_bytes_, block.state_bytes());
}

void UniformRun::note_start(StageSpan& span, const UniformPhase& phase) const {
  const auto* lane = lane_.data() + static_cast<std::size_t>(phase.flat.phase->role) * columns_;
  for (std::size_t i = 0; i < columns_; ++i) {
    span.start_ps = std::min(span.start_ps, lane[i] - phase.costs.lane[i]);
  }
}

void UniformRun::note_end(std::size_t stage) {
  if (program_.stage_repeat[stage] < 1) return;
  for (const UniformPhase& phase : program_.stages[stage]) {
    const std::int64_t* lane = row(lane_, static_cast<std::size_t>(phase.flat.phase->role));
    spans_[stage].end_ps = std::max(spans_[stage].end_ps, *std::max_element(lane, lane + columns_));
  }
}

EngineOutcome UniformRun::outcome() const {
  EngineOutcome result;
  for (const std::int64_t end : lane_) result.makespan_ps = std::max(result.makespan_ps, end);
  result.stages = spans_;
  result.updates = updates_;
  std::size_t values = lane_.size() + port_.size() + ready_.size() + credit_.size() + 2 * columns_;
  for (const auto& stage : program_.stages) values += stage.size() * 4 * columns_;
  result.state_bytes = static_cast<std::int64_t>(values * sizeof(std::int64_t)) + block_bytes_;
  return result;
}

}  // namespace

std::optional<EngineOutcome> uniform_sweep(UniformProgram& program, const StepCosts& costs,
                                           std::int32_t loops, std::int32_t slices,
                                           InstructionSet set) {
  UniformRun run(program, costs, loops, slices, set);
  if (!run.run()) return std::nullopt;
  return run.outcome();
}

}  // namespace fabricast
