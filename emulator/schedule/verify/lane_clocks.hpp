// Happens-before between the lanes of a schedule, by vector clocks (Lamport 1978, Mattern 1989).
//
// Edges: the order of a lane, messages, declared dependences. Credits are left out on purpose: a
// schedule that is only right for one FIFO depth is reported. Used only where lanes of one rank
// share chunks. Memory O(lanes^2 + messages in flight * lanes). Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace fabricast {

using Clock = std::vector<std::uint32_t>;

// Two accesses of one chunk that nothing orders.
struct UnorderedAccess {
  std::int32_t rank = 0;
  std::int64_t slot = 0;  // of the rank's memory
  std::int32_t first_lane = 0, second_lane = 0;
  std::uint32_t first_step = 0, second_step = 0;  // counted from 1 over loops and slices
  bool first_writes = false, second_writes = false;
};

class LaneClocks {
 public:
  explicit LaneClocks(std::int32_t lanes)
      : clocks_(static_cast<std::size_t>(lanes), Clock(static_cast<std::size_t>(lanes), 0)) {}

  void begin_step(std::int32_t lane) { ++own(lane); }
  const Clock& clock(std::int32_t lane) const { return clocks_[static_cast<std::size_t>(lane)]; }
  void join(std::int32_t lane, const Clock& other);
  // Remember the lane's clock at the end of a stage, for those who wait for it.
  void end_stage(std::int32_t lane, std::int32_t loop, std::int32_t stage);
  // The last end of that stage or an earlier one of the same loop; nothing if the lane had none.
  void join_stage(std::int32_t lane, std::int32_t other, std::int32_t loop, std::int32_t stage);

  // An access in the lane's current step. Conflicts with earlier ones are appended to `found`.
  void access(std::int32_t lane, std::int32_t rank, std::int64_t slot, bool writes,
              std::vector<UnorderedAccess>& found);

 private:
  struct Access {
    std::int32_t lane = 0;
    std::uint32_t step = 0;
    bool writes = false;
  };
  std::uint32_t& own(std::int32_t lane) {
    return clocks_[static_cast<std::size_t>(lane)][static_cast<std::size_t>(lane)];
  }

  std::vector<Clock> clocks_;
  std::map<std::pair<std::int32_t, std::int64_t>, std::vector<Access>> last_;  // per lane and kind
  std::map<std::pair<std::int32_t, std::int32_t>, std::map<std::int32_t, Clock>> stage_ends_;
};

}  // namespace fabricast
