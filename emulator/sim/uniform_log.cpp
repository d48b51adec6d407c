// What a log is told of the rows of UniformRun.
#include <algorithm>

#include "emulator/sim/uniform_run.hpp"

namespace fabricast {

void UniformRun::note_lanes(const RowStep& step) {
  lanes_before_.clear();
  for (const std::int32_t column : log_->columns()) {
    if (static_cast<std::size_t>(column) >= columns_) break;  // folded away; columns ascend
    lanes_before_.push_back(step.lane[column]);
  }
}

// After the kernel: lanes have moved, the rows that were read are as they were (row_kernels.hpp).
void UniformRun::note_steps(const UniformPhase& phase, const std::vector<ColumnRun>& runs,
                            const RowStep& step) {
  const auto& columns = log_->columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::int32_t x = columns[i];
    if (x < phase.range.first || x >= phase.range.end) continue;
    LoggedStep entry;
    entry.column = x;
    entry.role = phase.flat.phase->role;
    entry.end_ps = step.lane[x];
    entry.start_ps = entry.end_ps - step.lane_cost[x];
    if (phase.flat.sends) entry.ready_ps = step.ready_out[x];
    const auto run = std::find_if(runs.begin(), runs.end(), [x](const ColumnRun& r) {
      return r.begin <= x && x < r.begin + r.count;
    });
    entry.bound = bound_of(entry.start_ps, lanes_before_[i],
                           phase.flat.receives ? step.ready_in[x + run->in_delta] : -1,
                           phase.flat.sends ? step.credit_in[x + run->out_delta] : -1);
    log_->add(entry);
  }
}

}  // namespace fabricast
