#include "emulator/sim/uniform_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "emulator/base/error.hpp"
#include "emulator/sim/row_kernels.hpp"
#include "emulator/sim/uniform_period.hpp"
#include "emulator/sim/uniform_run.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t max_state_bytes = std::int64_t{4} << 30;

}  // namespace

UniformRun::UniformRun(UniformProgram& program, const StepCosts& costs, std::int32_t loops,
                       std::int32_t slices, InstructionSet set, bool jump, StepLog* log,
                       const Communicator* team)
    : program_(program),
      costs_(costs),
      loops_(loops),
      slices_(slices),
      set_(set),
      jump_(jump && log == nullptr),
      log_(log),
      team_(team),
      columns_(static_cast<std::size_t>(program.columns)) {
  std::size_t ready_rows =
      static_cast<std::size_t>(program.pools) * static_cast<std::size_t>(program.pool_rows);
  std::size_t credit_rows = 0;
  for (const Family& family : program.families) {
    Counters counters;
    if (family.pool >= 0) {
      counters.first_row =
          static_cast<std::size_t>(family.pool) * static_cast<std::size_t>(program.pool_rows);
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
    throw UsageError(
        fmt::format("the sweep would need {} MB for messages in flight (peers vary and "
                    "return in every loop); use fewer ranks or loops",
                    bytes / 1'000'000));
  }
  lane_.assign(roles * columns_, 0);
  port_.assign(roles * columns_, 0);
  ready_.assign(ready_rows * columns_, 0);
  credit_.assign(credit_rows * columns_, 0);
  zeros_.assign(columns_, 0);
  unread_.assign(columns_, 0);
  if (!program.groups.empty()) {
    others_ready_.assign(columns_, 0);
    others_credit_.assign(columns_, 0);
  }
  spans_.resize(program.stages.size());
  constexpr std::size_t most_known = 1'000'000;  // runs: 16 MB
  const std::size_t families = program.families.size();
  const auto longest = std::max_element(program.stage_repeat.begin(), program.stage_repeat.end());
  if (program.varies && static_cast<std::size_t>(*longest) > 2 * families &&
      families * columns_ <= most_known) {
    known_runs_.resize(2 * families);
  }
}

bool UniformRun::run() {
  UniformPeriod period(*this);
  for (std::int32_t loop = 0; loop < loops_; ++loop) {
    for (std::size_t s = 0; s < program_.stages.size(); ++s) {
      if (!run_stage(s, loop)) return false;
      if (loop == loops_ - 1) note_end(s);
    }
    if (jump_) loop += period.jump_after(loop);
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
    if (k == 0 && exchanges(stage)) {
      run_exchange(stage);
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
      if (!run_step(phase, runs_of(phase, k), k)) return false;
      if (opens_stage && slice == 0) note_start(span, phase);
    }
  }
  return true;
}

const std::vector<ColumnRun>& UniformRun::runs_of(const UniformPhase& phase, std::int32_t k) {
  if (!phase.flat.varies) return phase.runs;
  const auto map = [&](const std::vector<std::int32_t>& families) {
    return families.empty()
               ? nullptr
               : &program_.families[static_cast<std::size_t>(families[phase.at(k)])].map;
  };
  std::vector<ColumnRun>* runs = &varying_runs_;
  if (!known_runs_.empty() && phase.flat.sends != phase.flat.receives) {
    const auto& families = phase.flat.sends ? phase.out_family : phase.in_family;
    runs = &known_runs_[2 * static_cast<std::size_t>(families[phase.at(k)]) +
                        (phase.flat.sends ? 1 : 0)];
    if (!runs->empty()) return *runs;
  }
  build_runs(map(phase.in_family), map(phase.out_family), phase.range, program_.positions, *runs);
  return *runs;
}

bool UniformRun::refill(UniformPhase& phase, std::int32_t k) {
  const FlatPhase& flat = phase.flat;
  const bool known = phase.costs_of >= 0 && phase.joined.empty() &&
                     costs_.repeats(flat.stage, flat.group, flat.index, phase.costs_of, k);
  if (known) return false;
  fill_costs(phase, costs_, k);
  phase.costs_of = k;
  return true;
}

// A pooled family has no message left from earlier loops and takes the rows over.
void UniformRun::reset_pooled(const UniformPhase& phase, std::int32_t k) {
  for (const auto* families : {&phase.in_family, &phase.out_family}) {
    if (families->empty()) continue;
    const auto id = static_cast<std::size_t>((*families)[phase.at(k)]);
    if (program_.families[id].pool >= 0) counters_[id].sent = counters_[id].received = 0;
  }
}

bool UniformRun::run_step(const UniformPhase& phase, const std::vector<ColumnRun>& runs,
                          std::int32_t k) {
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
    if (phase.in_group >= 0) {
      program_.groups[static_cast<std::size_t>(phase.in_group)].others_max(step.ready_in,
                                                                           others_ready_.data());
      step.ready_in = others_ready_.data();
    }
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
    if (family.credits && phase.out_group >= 0) {
      program_.groups[static_cast<std::size_t>(phase.out_group)].others_max(step.credit_in,
                                                                            others_credit_.data());
      step.credit_in = others_credit_.data();
    }
  }
  if (log_ != nullptr) note_lanes(step);
  row_kernel(set_, phase.flat.receives, phase.flat.sends)(step, runs);
  if (log_ != nullptr) note_steps(phase, runs, step);
  if (in != nullptr) ++in->received;
  if (out != nullptr) ++out->sent;
  updates_ += phase.range.count();
  return true;
}

void UniformRun::note_start(StageSpan& span, const UniformPhase& phase) const {
  const auto* lane = lane_.data() + static_cast<std::size_t>(phase.flat.phase->role) * columns_;
  const auto end = static_cast<std::size_t>(phase.range.end);
  for (auto i = static_cast<std::size_t>(phase.range.first); i < end; ++i) {
    span.start_ps = std::min(span.start_ps, lane[i] - phase.costs.lane[i]);
  }
}

void UniformRun::note_end(std::size_t stage) {
  if (program_.stage_repeat[stage] < 1) return;
  for (const UniformPhase& phase : program_.stages[stage]) {
    const std::int64_t* lane = row(lane_, static_cast<std::size_t>(phase.flat.phase->role));
    spans_[stage].end_ps = std::max(
        spans_[stage].end_ps, *std::max_element(lane + phase.range.first, lane + phase.range.end));
  }
}

EngineOutcome UniformRun::outcome() const {
  EngineOutcome result;
  for (const std::int64_t end : lane_) result.makespan_ps = std::max(result.makespan_ps, end);
  result.stages = spans_;
  result.updates = updates_;
  result.skipped = skipped_;
  std::size_t values = lane_.size() + port_.size() + ready_.size() + credit_.size() + 2 * columns_;
  for (const auto& stage : program_.stages) values += stage.size() * 4 * columns_;
  result.state_bytes = static_cast<std::int64_t>(values * sizeof(std::int64_t)) + block_bytes_;
  return result;
}

std::optional<EngineOutcome> uniform_sweep(UniformProgram& program, const StepCosts& costs,
                                           std::int32_t loops, std::int32_t slices,
                                           InstructionSet set, bool jump, StepLog* log,
                                           const Communicator* team) {
  UniformRun run(program, costs, loops, slices, set, jump, log, team);
  if (!run.run()) return std::nullopt;
  return run.outcome();
}

}  // namespace fabricast
