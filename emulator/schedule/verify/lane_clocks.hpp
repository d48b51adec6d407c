// Happens-before between the lanes of a schedule, by vector clocks (Lamport 1978, Mattern 1989).
//
// Edges: the order of a lane, messages, declared dependences. Credits are left out on purpose: a
// schedule that is only right for one FIFO depth is reported. Used only where lanes of one rank
// share chunks. Only lanes of one rank are ever compared, so a run may count the steps of a block
// of ranks and leave the others to further runs. Memory O((lanes + messages in flight) * lanes of
// the block). Not thread safe.
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
  // Counts the steps of lanes first ... first + count - 1, whole ranks.
  LaneClocks(std::int32_t lanes, std::int32_t first, std::int32_t count)
      : clocks_(static_cast<std::size_t>(lanes), Clock(static_cast<std::size_t>(count), 0)),
        first_(first),
        count_(count) {}

  bool counts(std::int32_t lane) const { return lane >= first_ && lane < first_ + count_; }
  void begin_step(std::int32_t lane) {
    if (counts(lane)) ++own(lane);
  }
  const Clock& clock(std::int32_t lane) const { return clocks_[static_cast<std::size_t>(lane)]; }
  void join(std::int32_t lane, const Clock& other);
  // Remember the lane's clock at the end of a stage, for those who wait for it.
  void end_stage(std::int32_t lane, std::int32_t loop, std::int32_t stage);
  // The last end of that stage or an earlier one of the same loop; nothing if the lane had none.
  void join_stage(std::int32_t lane, std::int32_t other, std::int32_t loop, std::int32_t stage);

  // An access in the current step of a lane that is counted. Conflicts with earlier ones are
  // appended to `found`.
  void access(std::int32_t lane, std::int32_t rank, std::int64_t slot, bool writes,
              std::vector<UnorderedAccess>& found);

 private:
  struct Access {
    std::int32_t lane = 0;
    std::uint32_t step = 0;
    bool writes = false;
  };
  std::size_t index(std::int32_t lane) const { return static_cast<std::size_t>(lane - first_); }
  std::uint32_t& own(std::int32_t lane) {
    return clocks_[static_cast<std::size_t>(lane)][index(lane)];
  }

  std::vector<Clock> clocks_;
  std::int32_t first_, count_;
  std::map<std::pair<std::int32_t, std::int64_t>, std::vector<Access>> last_;  // per lane and kind
  std::map<std::pair<std::int32_t, std::int32_t>, std::map<std::int32_t, Clock>> stage_ends_;
};

}  // namespace fabricast
