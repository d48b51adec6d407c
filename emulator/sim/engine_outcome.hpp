// What both engines (uniform_sweep, wired_sweep) report.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/sim/sweep.hpp"

namespace fabricast {

struct EngineOutcome {
  std::int64_t makespan_ps = 0;
  std::vector<StageSpan> stages;
  std::int64_t updates = 0;  // steps evaluated
  std::int64_t skipped = 0;  // steps passed over by an exact periodic jump
  std::int64_t state_bytes = 0;
};

}  // namespace fabricast
