// The part of UniformRun that hands long ring stages to RingBlock.
#include <algorithm>
#include <optional>

#include "emulator/sim/ring_block.hpp"
#include "emulator/sim/uniform_run.hpp"

namespace fabricast {

// Is this stage a ring over all columns, long and wide enough for blocks to pay?
bool UniformRun::runs_in_blocks(std::size_t stage) const {
  constexpr std::int32_t least_columns = 48;
  constexpr std::int32_t least_steps = 32;
  if (log_ != nullptr) return false;  // blocks keep no single steps
  if (program_.stages[stage].size() != 1 || program_.columns < least_columns) return false;
  const UniformPhase& phase = program_.stages[stage].front();
  if (phase.flat.varies || !phase.flat.receives || !phase.flat.sends) return false;
  if (phase.in_group >= 0 || phase.range.count() < program_.columns) return false;
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
  const std::int64_t steps = (std::int64_t{program_.stage_repeat[stage]} - 1) * slices_;
  const bool shared = team_ != nullptr && RingTeam::pays(*team_, program_.columns, steps);
  std::optional<RingTeam> team;
  if (shared) team.emplace(*team_, program_.columns);
  const std::int64_t skipped = block.advance(steps, jump_, team ? &*team : nullptr);
  counters.sent += steps;
  counters.received += steps;
  exchange([this](std::int64_t* ours, const std::int64_t* theirs) {
    std::copy(theirs, theirs + columns_, ours);
  });
  updates_ += steps * static_cast<std::int64_t>(columns_) - skipped;
  skipped_ += skipped;
  block_bytes_ = std::max(block_bytes_, block.state_bytes());
}

}  // namespace fabricast
