#include "emulator/sim/ring_period.hpp"

#include <algorithm>

namespace fabricast {

std::optional<RingPeriod::Period> RingPeriod::observe(const std::vector<const std::int64_t*>& rows,
                                                      std::size_t columns,
                                                      std::int64_t steps_done) {
  if (snapshot_at_ >= 0) {
    const std::int64_t delta = rows.front()[0] - snapshot_.front();
    if (moved(rows, columns, delta)) return Period{steps_done - snapshot_at_, delta};
  }
  if (steps_done >= next_snapshot_) {
    remember(rows, columns);
    snapshot_at_ = steps_done;
    next_snapshot_ = 2 * steps_done;
  }
  return std::nullopt;
}

bool RingPeriod::moved(const std::vector<const std::int64_t*>& rows, std::size_t columns,
                       std::int64_t delta_ps) const {
  constexpr std::size_t piece = 128;  // looked at as a whole, so that the loop becomes vector code
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t* now = rows[r];
    const std::int64_t* then = snapshot_.data() + r * columns;
    for (std::size_t first = 0; first < columns; first += piece) {
      const std::size_t end = std::min(columns, first + piece);
      std::int64_t differences = 0;
      if (r == 1) {
        for (std::size_t x = first; x < end; ++x) {
          differences |= (std::max(now[x], rows[0][x]) - then[x]) ^ delta_ps;
        }
      } else {
        for (std::size_t x = first; x < end; ++x) differences |= (now[x] - then[x]) ^ delta_ps;
      }
      if (differences != 0) return false;
    }
  }
  return true;
}

void RingPeriod::remember(const std::vector<const std::int64_t*>& rows, std::size_t columns) {
  snapshot_.resize(rows.size() * columns);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::copy_n(rows[r], columns, snapshot_.data() + r * columns);
  }
  for (std::size_t x = 0; x < columns; ++x) {
    snapshot_[columns + x] = std::max(snapshot_[columns + x], snapshot_[x]);
  }
}

}  // namespace fabricast
