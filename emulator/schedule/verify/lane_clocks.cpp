#include "emulator/schedule/verify/lane_clocks.hpp"

#include <algorithm>

namespace fabricast {

void LaneClocks::join(std::int32_t lane, const Clock& other) {
  Clock& mine = clocks_[static_cast<std::size_t>(lane)];
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = std::max(mine[i], other[i]);
}

void LaneClocks::end_stage(std::int32_t lane, std::int32_t loop, std::int32_t stage) {
  stage_ends_[{lane, loop}][stage] = clock(lane);
}

void LaneClocks::join_stage(std::int32_t lane, std::int32_t other, std::int32_t loop,
                            std::int32_t stage) {
  const auto& ends = stage_ends_[{other, loop}];
  auto after = ends.upper_bound(stage);
  if (after != ends.begin()) join(lane, std::prev(after)->second);
}

void LaneClocks::access(std::int32_t lane, std::int32_t rank, std::int64_t slot, bool writes,
                        std::vector<UnorderedAccess>& found) {
  auto& earlier = last_[{rank, slot}];
  const Clock& now = clock(lane);
  const std::uint32_t step = now[index(lane)];
  bool known = false;
  for (Access& access : earlier) {
    if (access.lane == lane) {
      if (access.writes == writes) {
        access.step = step;  // the later one of a lane implies the earlier
        known = true;
      }
      continue;
    }
    if (!access.writes && !writes) continue;
    if (now[index(access.lane)] >= access.step) continue;
    found.push_back({rank, slot, access.lane, lane, access.step, step, access.writes, writes});
  }
  if (!known) earlier.push_back({lane, step, writes});
}

}  // namespace fabricast
