#include "emulator/cost/slow_step_costs.hpp"

#include <algorithm>
#include <cmath>

namespace fabricast {
namespace {

std::int64_t times(std::int64_t ps, double factor) {
  return factor == 1 ? ps : static_cast<std::int64_t>(std::ceil(static_cast<double>(ps) * factor));
}

}  // namespace

SlowStepCosts::SlowStepCosts(std::shared_ptr<const TrafficMap> traffic, std::size_t channel_class,
                             const MachineCosts& costs, std::shared_ptr<const Schedule> schedule,
                             std::int64_t slice_bytes, const Topology& topology,
                             const SlowElements& slow, std::vector<std::int32_t> ranks)
    : TableStepCosts(std::move(traffic), channel_class, costs, *schedule, slice_bytes),
      costs_(costs),
      schedule_(std::move(schedule)),
      topology_(topology),
      slow_(slow),
      ranks_(std::move(ranks)) {
  forget_period();
  const auto positions = ranks_.size();
  std::vector<std::int64_t> lane(positions), port(positions), latency(positions), credit(positions);
  for (std::size_t s = 0; s < schedule_->stages.size(); ++s) {
    auto& groups = fixed_.emplace_back();
    for (std::size_t g = 0; g < schedule_->stages[s].groups.size(); ++g) {
      auto& phases = groups.emplace_back();
      for (std::size_t p = 0; p < schedule_->stages[s].groups[g].phases.size(); ++p) {
        auto& to = phases.emplace_back();
        const int at[3] = {static_cast<int>(s), static_cast<int>(g), static_cast<int>(p)};
        if (edges_of(at[0], at[1], at[2]).varies) continue;
        const CostRows rows{lane, port, latency, credit};
        TableStepCosts::fill(at[0], at[1], at[2], 0, rows);
        to = changes(at[0], at[1], at[2], 0, rows);
      }
    }
  }
}

SlowStepCosts::Crossed SlowStepCosts::crossed(std::size_t position, const PeerMap& map,
                                              std::int32_t k) const {
  Crossed result;
  result.factor.fill(1);
  const auto x = static_cast<std::int32_t>(position);
  const auto look_at = [&](std::int32_t peer) {
    if (peer < 0) return;
    std::int64_t added = 0;
    const RankId from = RankId::from(ranks_[position]);
    const RankId to = RankId::from(ranks_[static_cast<std::size_t>(peer)]);
    const Route route = topology_.route(from, to);
    for (const LinkId link : route.span()) {
      const double factor = slow_.link_factor(link);
      if (factor == 1) continue;
      const auto of = static_cast<std::size_t>(topology_.link_class(link).value());
      result.factor[of] =
          result.any && result.factor[of] != 1 ? std::max(result.factor[of], factor) : factor;
      const std::int64_t own = costs_.link_latency_ps(of);
      added += times(own, factor) - own;
      result.any = true;
    }
    result.latency_ps = std::max(result.latency_ps, added);
  };
  if (map.is_group()) {
    for (const std::int32_t peer : group_members(map, schedule_->space, x)) look_at(peer);
  } else {
    look_at(peer_of(map, schedule_->space, x, k));
  }
  return result;
}

std::vector<SlowStepCosts::Change> SlowStepCosts::changes(int stage, int group, int phase,
                                                          std::int32_t k, CostRows rows) const {
  const Phase& of = schedule_->stages[static_cast<std::size_t>(stage)]
                        .groups[static_cast<std::size_t>(group)]
                        .phases[static_cast<std::size_t>(phase)];
  std::vector<Change> result;
  for (std::size_t x = 0; x < rows.lane.size(); ++x) {
    Change change{x, times(rows.lane[x], slow_.rank_factor(ranks_[x])), rows.port[x],
                  rows.latency[x], rows.credit[x]};
    bool changed = change.lane != rows.lane[x];
    const EdgeId edge = slow_.any_link() ? send_edge(stage, group, phase, k, x) : EdgeTable::idle;
    if (edge != EdgeTable::idle && of.peer_out.exists() && (of.action & action_send) != 0) {
      const Crossed out = crossed(x, of.peer_out, k);
      if (out.any) {
        change.port = costs_.port_ps(traffic()->edges()[edge], port_bytes(stage, group, phase),
                                     work(stage, group, phase), out.factor);
        change.latency += out.latency_ps;
        changed = true;
      }
    }
    // Credits go back over the route to the sender.
    if (slow_.any_link() && rows.credit[x] > 0 && of.peer_in.exists()) {
      const Crossed in = crossed(x, of.peer_in, k);
      change.credit += in.latency_ps;
      changed = changed || in.any;
    }
    if (changed) result.push_back(change);
  }
  return result;
}

void SlowStepCosts::fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const {
  TableStepCosts::fill(stage, group, phase, k, rows);
  const auto apply = [&rows](const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (change.position >= rows.lane.size()) break;
      rows.lane[change.position] = change.lane;
      rows.port[change.position] = change.port;
      rows.latency[change.position] = change.latency;
      rows.credit[change.position] = change.credit;
    }
  };
  if (edges_of(stage, group, phase).varies) {
    apply(changes(stage, group, phase, k, rows));
  } else {
    apply(fixed_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)]
                [static_cast<std::size_t>(phase)]);
  }
}

}  // namespace fabricast
