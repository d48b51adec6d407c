// Invented step costs for measuring engine speed: no machine, only plausible magnitudes.
//
// Uniform in [100 ns, 1 us] per row, drawn per position, or per position modulo a period so that
// positions fold into that many classes. The table is made once, who is active is found out once;
// fills are copies, so that the engine is measured and not the cost model. Immutable; thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "emulator/cost/periodic_costs.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

class SyntheticCosts final : public StepCosts, public PeriodicCosts {
 public:
  // period 0: every position has its own costs.
  SyntheticCosts(const Schedule& schedule, std::int32_t period, std::uint64_t seed = 1);
  // Multiplies all costs of one position.
  void slow_down(std::int32_t position, double factor);
  std::int32_t cost_period() const override { return period_; }
  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override;

 private:
  const Schedule& schedule_;
  std::int32_t period_;
  std::vector<std::int64_t> lane_, port_, latency_, credit_;
  std::map<const Phase*, std::vector<bool>> active_;  // by position, of phases not all execute
};

}  // namespace fabricast
