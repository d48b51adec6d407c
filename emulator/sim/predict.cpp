#include "emulator/sim/predict.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/cost/periodic_case.hpp"
#include "emulator/sim/pairwise_exchange.hpp"

namespace fabricast {

namespace {

// Times and rates whose elasticities miss one by more than this meet a kink (rounding: some 1e-3).
constexpr double kink = 5e-3;

SweepOptions sweep_options(const CollectiveCase& made, const EngineOptions& options, StepLog* log) {
  SweepOptions result;
  result.loops = made.plan.loops;
  result.slices = made.plan.slices;
  result.fold = options.fold;
  result.instruction_set = options.instruction_set;
  result.log = log;
  result.team = options.team;
  return result;
}

}  // namespace

SweepResult evaluate_channel(const CollectiveCase& made, std::size_t channel_class,
                             const EngineOptions& options, StepLog* log) {
  const ChannelClass& channels = made.channel_classes[channel_class];
  const auto front = static_cast<std::size_t>(channels.representative);
  const Schedule& schedule = *made.plan.channels[front].schedule;
  const StepCosts& costs = *channels.costs;
  const SweepOptions asked = sweep_options(made, options, log);
  const auto reduced =
      options.fold ? one_period(schedule, costs, made.plan.loops, made.plan.slices) : std::nullopt;
  // Where a period is less to sweep, that is done.
  const double pairs_of_period =
      reduced ? 1.0 * reduced->period * schedule.positions() : most_exchange_work;
  // Costs of every position by themselves, or steps to look at, are for the engine.
  const auto closed = options.fold && log == nullptr
                          ? pairwise_exchange(schedule, costs, made.plan.loops, made.plan.slices,
                                              std::min(most_exchange_work, pairs_of_period))
                          : std::nullopt;
  if (!reduced) return closed ? *closed : sweep(schedule, costs, asked);
  SweepResult result = closed ? *closed : sweep(reduced->schedule, costs, asked);
  const std::int32_t positions = schedule.positions();
  if (!closed) result.messages *= positions / reduced->period;
  result.classes = reduced->period;
  result.class_of.resize(static_cast<std::size_t>(positions));
  for (std::int32_t x = 0; x < positions; ++x) {
    result.class_of[static_cast<std::size_t>(x)] = x % reduced->period;
  }
  result.fold_note = std::to_string(reduced->period) + " positions of " +
                     std::to_string(positions) + ": one period of equal groups";
  return result;
}

PointTime evaluate_case(const CollectiveCase& collective_case, const EngineOptions& options) {
  PointTime result;
  SimDuration slowest;
  for (std::size_t c = 0; c < collective_case.channel_classes.size(); ++c) {
    result.channels.push_back(evaluate_channel(collective_case, c, options));
    const SweepResult& swept = result.channels.back();
    slowest = std::max(slowest, swept.makespan);
    result.updates += swept.updates;
    result.engine_seconds += swept.engine_seconds;
  }
  result.time = collective_case.launch + slowest;  // semantics 3.7
  return result;
}

SimDuration Forward::makespan(const CollectiveCase& made, std::size_t channel_class) {
  EvaluationKey key = evaluation_key(made, channel_class);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  return remember(std::move(key), evaluate_channel(made, channel_class, options_).makespan);
}

SimDuration Forward::remember(EvaluationKey key, SimDuration swept) {
  constexpr std::size_t most_known = 1 << 14;
  if (known_.size() >= most_known) known_.clear();
  known_.emplace(std::move(key), swept);
  return swept;
}

void Forward::evaluate_together(const std::vector<CollectiveCase>& cases,
                                std::size_t channel_class) {
  std::map<EvaluationKey, const StepCosts*> unknown;
  for (const CollectiveCase& made : cases) {
    EvaluationKey key = evaluation_key(made, channel_class);
    if (known_.contains(key)) continue;
    unknown.emplace(std::move(key), made.channel_classes[channel_class].costs.get());
  }
  if (unknown.size() < 2) return;
  const CollectiveCase& first = cases.front();
  const auto front = static_cast<std::size_t>(first.channel_classes[channel_class].representative);
  const Schedule& schedule = *first.plan.channels[front].schedule;
  std::vector<const StepCosts*> sets;
  for (const auto& [key, costs] : unknown) {
    if (options_.fold && has_closed_form(schedule, *costs)) return;
    if (options_.fold && one_period(schedule, *costs, first.plan.loops, first.plan.slices)) return;
    sets.push_back(costs);
  }
  const auto times = sweep_makespans(schedule, sets, sweep_options(first, options_, nullptr));
  std::size_t next = 0;
  for (const auto& [key, costs] : unknown) remember(key, times[next++]);
}

std::size_t Forward::slowest_class(const CollectiveCase& made) {
  std::size_t slowest = 0;
  for (std::size_t c = 1; c < made.channel_classes.size(); ++c) {
    if (makespan(made, c) > makespan(made, slowest)) slowest = c;
  }
  return slowest;
}

SimDuration Forward::time(const ParameterValues& values, const PointSpec& point) {
  const CollectiveCase made = build(values, point);
  return made.launch + makespan(made, slowest_class(made));
}

std::vector<Elasticity> Forward::elasticities(const ParameterValues& values, const PointSpec& point,
                                              double delta) {
  FABRICAST_EXPECT(delta > 0 && delta < 0.5, "a small relative step");
  const CollectiveCase unmoved = build(values, point);
  const std::size_t slowest = slowest_class(unmoved);
  const auto ln_time = [&](const CollectiveCase& made) {
    return std::log(static_cast<double>((made.launch + makespan(made, slowest)).value()));
  };
  const double base = ln_time(unmoved);
  const double width = std::log1p(delta);
  struct Move {
    std::string id;
    double sign = 1, dearer = 0, cheaper = 0;
  };
  std::vector<Move> moves;
  for (const auto& [id, value] : values) {
    const ParameterForm form = form_of(id);
    const bool cost = form == ParameterForm::time || form == ParameterForm::cost_factor;
    const double up = cost ? 1 + delta : 1 / (1 + delta);
    moves.push_back({id, cost ? 1.0 : -1.0, value * up, value / up});
  }
  // One case per move, evaluated together.
  const auto cases_of = [&](bool dearer) {
    std::vector<CollectiveCase> made;
    ParameterValues moved = values;
    for (const Move& move : moves) {
      double& slot = moved[move.id];
      const double value = std::exchange(slot, dearer ? move.dearer : move.cheaper);
      made.push_back(build(moved, point));
      slot = value;
    }
    if (!made.empty()) evaluate_together(made, slowest);
    return made;
  };
  const auto dearer = cases_of(true);
  const auto differences = [&](bool central) {
    std::vector<Elasticity> result;
    const auto cheaper = central ? cases_of(false) : std::vector<CollectiveCase>();
    for (std::size_t i = 0; i < moves.size(); ++i) {
      const double sign = moves[i].sign;
      double slope = sign * (ln_time(dearer[i]) - base) / width;
      if (central) slope = (slope + sign * (base - ln_time(cheaper[i])) / width) / 2;
      if (slope != 0) result.push_back({moves[i].id, slope});
    }
    return result;
  };
  auto result = differences(false);
  double sum = 0;
  for (const Elasticity& e : result) {
    const ParameterForm form = form_of(e.id);
    if (form == ParameterForm::time || form == ParameterForm::rate) sum += std::abs(e.value);
  }
  if (std::abs(sum - 1) > kink) result = differences(true);
  return result;
}

SimDuration predict_time(const Topology& topology, const ParameterValues& values,
                         const PointSpec& point) {
  return Forward(topology).time(values, point);
}

std::vector<Elasticity> elasticities(const Topology& topology, const ParameterValues& values,
                                     const PointSpec& point, double delta) {
  return Forward(topology).elasticities(values, point, delta);
}

}  // namespace fabricast
