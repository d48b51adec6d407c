// The same costs for every step of a kind, everywhere: the homogeneous machine of closed forms.
#pragma once

#include "emulator/sim/closed_form.hpp"
#include "emulator/sim/flat_phases.hpp"

namespace fabricast {

class ConstantCosts final : public StepCosts {
 public:
  ConstantCosts(const Schedule& schedule, const MessageCosts& costs)
      : ConstantCosts(schedule, costs, costs.lane, costs.lane) {}
  // Steps that only receive, and local copies, may have a lane cost of their own.
  ConstantCosts(const Schedule& schedule, const MessageCosts& costs, std::int64_t receive_only,
                std::int64_t local)
      : flat_(flatten(schedule)),
        space_(schedule.space),
        costs_(costs),
        receive_only_(receive_only),
        local_(local) {}

  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override {
    for (const FlatPhase& flat : flat_) {
      if (flat.stage != stage || flat.group != group || flat.index != phase) continue;
      for (std::int32_t x = 0; x < static_cast<std::int32_t>(rows.lane.size()); ++x) {
        const auto at = static_cast<std::size_t>(x);
        const bool runs = executes(flat, space_, x, k);
        const std::int64_t lane = flat.sends ? costs_.lane : flat.receives ? receive_only_ : local_;
        rows.lane[at] = runs ? lane : 0;
        rows.port[at] = runs && flat.sends ? costs_.port : 0;
        rows.latency[at] = runs && flat.sends ? costs_.latency : 0;
        rows.credit[at] = runs && flat.receives ? costs_.credit : 0;
      }
    }
  }

 private:
  std::vector<FlatPhase> flat_;
  RankSpace space_;
  MessageCosts costs_;
  std::int64_t receive_only_, local_;
};

}  // namespace fabricast
