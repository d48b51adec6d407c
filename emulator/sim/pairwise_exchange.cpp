#include "emulator/sim/pairwise_exchange.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "emulator/base/thread_seconds.hpp"
#include "emulator/sim/flat_phases.hpp"

namespace fabricast {
namespace {

bool copies_only(const Stage& stage) {
  return std::all_of(stage.groups.begin(), stage.groups.end(), [](const PhaseGroup& group) {
    return std::all_of(group.phases.begin(), group.phases.end(), [](const Phase& phase) {
      return !phase.peer_in.exists() && !phase.peer_out.exists() && phase.role == 0 && !phase.after;
    });
  });
}

// Of an exchange, where they follow from the pair and the evaluation is short.
std::optional<ExchangeCosts> costs_by_pair(const Schedule& schedule, const StepCosts& costs,
                                           double most_work) {
  const auto* of_exchange = dynamic_cast<const CostsOfExchange*>(&costs);
  if (of_exchange == nullptr) return std::nullopt;
  const auto stage = static_cast<int>(schedule.stages.size()) - 1;
  auto by_pair = of_exchange->exchange_costs(stage, 0, 0, 1);
  if (by_pair && exchange_work(by_pair->groups) > most_work) return std::nullopt;
  return by_pair;
}

}  // namespace

double exchange_work(const ExchangeGroups& all) {
  double work = all.groups.front().end;
  std::vector<std::int32_t> changes(all.classes.size(), 0);  // of class, up to each position
  for (std::size_t x = 1; x < changes.size(); ++x) {
    changes[x] = changes[x - 1] + (all.classes[x] != all.classes[x - 1] ? 1 : 0);
  }
  const auto runs = [&changes](const ExchangeGroup& group) {
    if (changes.empty()) return 1;
    const auto last = static_cast<std::size_t>(group.end) - 1;
    return 1 + changes[last] - changes[static_cast<std::size_t>(group.begin)];
  };
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    const ExchangeGroup& group = all.groups[g];
    if (group.alike_to != static_cast<std::int32_t>(g)) continue;
    const double members = group.end - group.begin;
    const ExchangePattern& pattern = all.patterns[group.pattern];
    const double settling = pattern.count == 1 ? 0 : static_cast<double>(pattern.labels.size());
    const double per_run = static_cast<double>(pattern.count) + settling;
    work += group.parts == ExchangeGroup::Parts::none ? 2 * members * members
                                                      : 2 * members * runs(group) * per_run;
  }
  return work;
}

bool is_pairwise_exchange(const Schedule& schedule) {
  if (schedule.stages.empty() || schedule.roles != 2 || schedule.positions() < 2) return false;
  if (!std::all_of(schedule.stages.begin(), schedule.stages.end() - 1, copies_only)) return false;
  const Stage& last = schedule.stages.back();
  if (last.repeat != schedule.positions() - 1 || last.groups.size() != 1) return false;
  const auto& phases = last.groups.front().phases;
  if (phases.size() != 2) return false;
  const Phase& send = phases[0];
  const Phase& receive = phases[1];
  return send.peer_out == PeerMap::linear(1, 1) && !send.peer_in.exists() && send.role == 0 &&
         receive.peer_in == PeerMap::linear(-1, -1) && !receive.peer_out.exists() &&
         receive.role == 1 && send.active == Active::all() && receive.active == Active::all() &&
         !send.after && !receive.after;
}

bool has_closed_form(const Schedule& schedule, const StepCosts& costs) {
  return is_pairwise_exchange(schedule) &&
         costs_by_pair(schedule, costs, most_exchange_work).has_value();
}

std::optional<SweepResult> pairwise_exchange(const Schedule& schedule, const StepCosts& costs,
                                             std::int32_t loops, std::int32_t slices,
                                             double most_work) {
  if (loops != 1 || slices > schedule.fifo_depth || !is_pairwise_exchange(schedule)) {
    return std::nullopt;
  }
  const double began = thread_seconds();
  const auto stage = static_cast<int>(schedule.stages.size()) - 1;
  auto by_pair = costs_by_pair(schedule, costs, most_work);
  if (!by_pair) return std::nullopt;
  PairwiseExchange exchange{std::move(*by_pair), 0, slices};
  SweepResult result;
  CostBlock block(static_cast<std::size_t>(schedule.positions()));
  for (const FlatPhase& phase : flatten(schedule)) {
    if (phase.stage == stage) continue;
    block.fill(costs, phase, 0);
    const auto [least, most] = std::minmax_element(block.lane.begin(), block.lane.end());
    if (*least != *most) return std::nullopt;
    StageSpan& span = result.stages.emplace_back();
    span.start_ps = exchange.ready_at;
    exchange.ready_at +=
        *most * schedule.stages[static_cast<std::size_t>(phase.stage)].repeat * slices;
    span.end_ps = exchange.ready_at;
  }
  if (result.stages.size() != static_cast<std::size_t>(stage)) return std::nullopt;
  const std::int64_t end = exchange_end(exchange);
  result.makespan = SimDuration(end);
  result.stages.push_back({exchange.ready_at, end});
  const std::int64_t n = schedule.positions();
  result.messages = slices * n * (stage + 2 * (n - 1));
  result.updates = static_cast<std::int64_t>(exchange_work(exchange.costs.groups));
  result.classes = schedule.positions();
  result.state_bytes = n * 40;
  result.fold_note = "a pairwise exchange in closed form";
  result.instruction_set = "baseline";
  result.engine_seconds = thread_seconds() - began;
  return result;
}

}  // namespace fabricast
