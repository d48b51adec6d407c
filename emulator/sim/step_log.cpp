#include "emulator/sim/step_log.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fabricast {
namespace {

bool starts_before(const LoggedStep& a, const LoggedStep& b) {
  return std::tie(a.start_ps, a.column, a.role, a.step) <
         std::tie(b.start_ps, b.column, b.role, b.step);
}

}  // namespace

StepLog::StepLog(std::vector<std::int32_t> columns, std::int32_t roles, TimeWindow window,
                 std::size_t most)
    : columns_(std::move(columns)), roles_(roles), window_(window), most_(most) {
  std::sort(columns_.begin(), columns_.end());
  columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
  if (!columns_.empty()) index_of_.assign(static_cast<std::size_t>(columns_.back()) + 1, -1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    index_of_[static_cast<std::size_t>(columns_[i])] = static_cast<std::int32_t>(i);
  }
  restart();
}

void StepLog::restart() {
  next_.assign(columns_.size() * static_cast<std::size_t>(roles_), 0);
  kept_.clear();
  found_ = 0;
}

void StepLog::add(LoggedStep entry) {
  const std::int32_t lane = index_of_[static_cast<std::size_t>(entry.column)] * roles_ + entry.role;
  entry.step = next_[static_cast<std::size_t>(lane)]++;
  if (!window_.overlaps(entry.start_ps, entry.end_ps)) return;
  ++found_;
  if (kept_.size() < most_) {
    kept_.push_back(entry);
    if (kept_.size() == most_) std::make_heap(kept_.begin(), kept_.end(), starts_before);
    return;
  }
  if (most_ == 0 || !starts_before(entry, kept_.front())) return;
  std::pop_heap(kept_.begin(), kept_.end(), starts_before);
  kept_.back() = entry;
  std::push_heap(kept_.begin(), kept_.end(), starts_before);
}

std::int64_t StepLog::complete_until_ps() const {
  if (found_ <= static_cast<std::int64_t>(kept_.size())) return TimeWindow::no_end;
  return kept_.empty() ? 0 : kept_.front().start_ps;
}

std::vector<LoggedStep> StepLog::take() {
  std::sort(kept_.begin(), kept_.end(), [](const LoggedStep& a, const LoggedStep& b) {
    return std::tie(a.column, a.role, a.step) < std::tie(b.column, b.role, b.step);
  });
  return std::move(kept_);
}

StepBound bound_of(std::int64_t start_ps, std::int64_t lane_free, std::int64_t data_ready,
                   std::int64_t slot_free) {
  if (start_ps == 0) return StepBound::nothing;
  if (start_ps == lane_free) return StepBound::lane;
  if (start_ps == data_ready) return StepBound::data;
  if (start_ps == slot_free) return StepBound::slot;
  return StepBound::other_lane;
}

}  // namespace fabricast
