#include "bench/engine/synthetic_costs.hpp"

#include <algorithm>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {

SyntheticCosts::SyntheticCosts(const Schedule& schedule, std::int32_t period, std::uint64_t seed)
    : schedule_(schedule), period_(period) {
  for (std::int32_t x = 0; x < schedule.positions(); ++x) {
    const auto who = static_cast<std::uint64_t>(period > 0 ? x % period : x);
    const auto draw = [who, seed](std::uint64_t row) {
      return random_int(seed, row, who, 100 * ps_per_ns, ps_per_us);
    };
    lane_.push_back(draw(0));
    port_.push_back(draw(1));
    latency_.push_back(draw(2));
    credit_.push_back(draw(3));
  }
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& phases : stage.groups) {
      for (const Phase& phase : phases.phases) {
        if (phase.active.kind == Active::Kind::all) continue;
        std::vector<bool>& active = active_[&phase];
        for (std::int32_t x = 0; x < schedule.positions(); ++x) {
          active.push_back(is_active(phase.active, schedule.space, x));
        }
      }
    }
  }
}

void SyntheticCosts::slow_down(std::int32_t position, double factor) {
  period_ = 0;
  for (auto* costs : {&lane_, &port_, &latency_, &credit_}) {
    std::int64_t& cost = (*costs)[static_cast<std::size_t>(position)];
    cost = static_cast<std::int64_t>(static_cast<double>(cost) * factor);
  }
}

void SyntheticCosts::fill(int stage, int group, int phase, std::int32_t /*k*/,
                          CostRows rows) const {
  const Phase& described = schedule_.stages[static_cast<std::size_t>(stage)]
                               .groups[static_cast<std::size_t>(group)]
                               .phases[static_cast<std::size_t>(phase)];
  const bool sends = (described.action & action_send) != 0;
  const bool receives = (described.action & action_recv) != 0;
  const auto copy = [](bool applies, const std::vector<std::int64_t>& from,
                       std::span<std::int64_t> to) {
    if (applies) {
      std::copy_n(from.begin(), to.size(), to.begin());
    } else {
      std::fill(to.begin(), to.end(), 0);
    }
  };
  copy(true, lane_, rows.lane);
  copy(sends, port_, rows.port);
  copy(sends, latency_, rows.latency);
  copy(receives, credit_, rows.credit);
  const auto partial = active_.find(&described);
  if (partial == active_.end()) return;
  for (std::size_t x = 0; x < rows.lane.size(); ++x) {
    if (partial->second[x]) continue;
    rows.lane[x] = rows.port[x] = rows.latency[x] = rows.credit[x] = 0;
  }
}

}  // namespace fabricast
