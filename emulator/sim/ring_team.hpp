// The processes that evaluate one ring stage together: each advances its own columns by a block of
// steps and computes the halo of its neighbours again (ring_block.hpp), so that halos are exchanged
// once per block. All have the whole state before and after. What comes out are the integers of one
// process. Every process must make the same calls. Thread safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/sim/ring_period.hpp"

namespace fabricast {

struct ColumnShare {
  std::int32_t first = 0;
  std::int32_t end = 0;
  std::int32_t count() const { return end - first; }
};

class RingTeam {
 public:
  RingTeam(const Communicator& communicator, std::int32_t columns)
      : communicator_(communicator), columns_(columns) {}

  // Is the ring wide and long enough for halos to be small beside it?
  static bool pays(const Communicator& communicator, std::int32_t columns, std::int64_t steps);

  ColumnShare share(int process) const;
  ColumnShare own() const { return share(communicator_.rank()); }
  // Rows of all columns: fills `left` columns before the own ones and `right` behind them,
  // cyclically.
  void swap_halos(const std::vector<std::int64_t*>& rows, std::int32_t left, std::int32_t right);
  // Every process's own columns, for all.
  void complete(const std::vector<std::int64_t*>& rows) const;
  // The period, if all processes have found it.
  std::optional<RingPeriod::Period> agreed(const std::optional<RingPeriod::Period>& found) const;

 private:
  std::vector<std::int64_t> columns_of(const std::vector<std::int64_t*>& rows, std::int32_t first,
                                       std::int32_t count) const;
  void put(const std::vector<std::int64_t>& values, std::int32_t first, std::int32_t count,
           const std::vector<std::int64_t*>& rows) const;

  Communicator communicator_;
  std::int32_t columns_;
};

}  // namespace fabricast
