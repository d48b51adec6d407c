// Exact periodicity inside a long ring stage (ring_block.hpp).
//
// As wired_period.hpp: a step only adds constants and takes maxima, so once every clock that can
// still matter has grown by one constant between two block boundaries, it will again, for ever, and
// whole periods may be passed over. All values are compared, as integers; when in doubt there is no
// jump. A ring that waits for bandwidth settles soon; one that waits for latency repeats with each
// turn of a message. Snapshots are taken at doubling distances (Brent 1980): O(1) per block
// typically, O(state) at worst. Memory: one copy of the state. Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace fabricast {

class RingPeriod {
 public:
  struct Period {
    std::int64_t steps = 0;
    std::int64_t delta_ps = 0;
  };
  // Rows of `columns` clocks in an order that does not depend on the steps done; the first is the
  // lanes, the second the ports. A port matters only through max(port, start), and start >= lane.
  std::optional<Period> observe(const std::vector<const std::int64_t*>& rows, std::size_t columns,
                                std::int64_t steps_done);
  std::int64_t bytes() const {
    return static_cast<std::int64_t>(snapshot_.size() * sizeof(std::int64_t));
  }

 private:
  bool moved(const std::vector<const std::int64_t*>& rows, std::size_t columns,
             std::int64_t delta_ps) const;
  void remember(const std::vector<const std::int64_t*>& rows, std::size_t columns);

  std::vector<std::int64_t> snapshot_;  // [row][column]
  std::int64_t snapshot_at_ = -1;
  std::int64_t next_snapshot_ = 0;
};

}  // namespace fabricast
