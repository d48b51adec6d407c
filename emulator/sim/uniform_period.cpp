#include "emulator/sim/uniform_period.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace fabricast {
namespace {

// Fewer loops are sooner done than looked at.
constexpr std::int32_t least_loops = 8;
constexpr std::int64_t not_one_constant = std::numeric_limits<std::int64_t>::min();

}  // namespace

// A family without credits sends no more messages than it has slots, in all loops together: then
// there are few. A pooled one forgets at once.
UniformPeriod::UniformPeriod(UniformRun& run) : run_(run) {
  const UniformProgram& program = run.program_;
  applies_ = run.loops_ >= least_loops &&
             std::all_of(program.families.begin(), program.families.end(),
                         [](const Family& family) { return family.credits; });
  const ColumnRange nobody{program.columns, 0};
  lanes_.assign(static_cast<std::size_t>(program.roles), nobody);
  for (const auto& stage : program.stages) {
    for (const UniformPhase& phase : stage) {
      ColumnRange& range = lanes_[phase.flat.phase->role];
      range.first = std::min(range.first, phase.range.first);
      range.end = std::max(range.end, phase.range.end);
    }
  }
}

// Calls visit(value) for everything that decides what comes; false as soon as a call says so. A
// port matters only through max(port free, start), and start >= lane free.
template <class Visit>
bool UniformPeriod::visit_live(Visit visit) const {
  const std::size_t columns = run_.columns_;
  for (std::size_t role = 0; role < lanes_.size(); ++role) {
    const std::int64_t* lane = run_.lane_.data() + role * columns;
    const std::int64_t* port = run_.port_.data() + role * columns;
    for (auto c = static_cast<std::size_t>(lanes_[role].first);
         c < static_cast<std::size_t>(lanes_[role].end); ++c) {
      if (!visit(lane[c]) || !visit(std::max(lane[c], port[c]))) return false;
    }
  }
  const auto visit_row = [&](const std::vector<std::int64_t>& rows, std::size_t row,
                             ColumnRange range) {
    const std::int64_t* values = rows.data() + row * columns;
    return std::all_of(values + range.first, values + range.end, visit);
  };
  const std::int64_t depth = run_.program_.depth;
  for (std::size_t f = 0; f < run_.counters_.size(); ++f) {
    const Family& family = run_.program_.families[f];
    const auto& counters = run_.counters_[f];
    if (counters.sent < depth) return false;  // a slot free since time 0 does not move
    const auto row = [&](std::int64_t message) {
      return counters.first_row + static_cast<std::size_t>(message % depth);
    };
    const ColumnRange senders = run_.program_.columns == run_.program_.positions
                                    ? family.map.senders
                                    : ColumnRange{0, run_.program_.columns};
    for (std::int64_t n = counters.received; n < counters.sent; ++n) {
      if (!visit_row(run_.ready_, row(n), senders)) return false;
    }
    for (std::int64_t n = counters.sent - depth; n < counters.received; ++n) {
      if (!visit_row(run_.credit_, row(n), family.receivers)) return false;
    }
  }
  return true;
}

// The constant by which all live values have grown since the snapshot.
std::int64_t UniformPeriod::moved() const {
  std::size_t next = 0;
  std::int64_t delta = 0;
  const bool all = visit_live([&](std::int64_t value) {
    if (next == 0) delta = value - snapshot_.front();
    return next < snapshot_.size() && value == snapshot_[next++] + delta;
  });
  return all && next == snapshot_.size() && next > 0 ? delta : not_one_constant;
}

void UniformPeriod::shift(std::int64_t delta_ps) {
  for (auto* values : {&run_.lane_, &run_.port_, &run_.ready_, &run_.credit_}) {
    for (std::int64_t& value : *values) value += delta_ps;
  }
}

std::int32_t UniformPeriod::jump_after(std::int32_t loop) {
  if (!applies_ || loop + 1 >= run_.loops_) return 0;
  if (snapshot_at_ >= 0) {
    const std::int64_t delta = moved();
    if (delta != not_one_constant) {
      const std::int32_t period = loop - snapshot_at_;
      const std::int32_t times = (run_.loops_ - 2 - loop) / period;
      shift(delta * times);
      const UniformProgram& program = run_.program_;
      const std::int64_t steps = program.columns == program.positions
                                     ? program.steps
                                     : program.steps / program.positions * program.columns;
      run_.skipped_ += std::int64_t{times} * period * run_.slices_ * steps;
      applies_ = false;  // the rest is shorter than a period
      return times * period;
    }
  }
  if (loop >= next_snapshot_) {
    snapshot_.clear();
    const bool complete = visit_live([this](std::int64_t value) {
      snapshot_.push_back(value);
      return true;
    });
    snapshot_at_ = complete ? loop : -1;
    if (complete) next_snapshot_ = 2 * loop;
  }
  return 0;
}

}  // namespace fabricast
