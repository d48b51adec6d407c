#include "emulator/sim/predict.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/cost/periodic_case.hpp"

namespace fabricast {

namespace {

// Times and rates whose elasticities miss one by more than this meet a kink (rounding: some 1e-3).
constexpr double kink = 5e-3;

}  // namespace

SweepResult evaluate_channel(const CollectiveCase& made, std::size_t channel_class,
                             const EngineOptions& options, StepLog* log) {
  const ChannelClass& channels = made.channel_classes[channel_class];
  const auto front = static_cast<std::size_t>(channels.representative);
  const Schedule& schedule = *made.plan.channels[front].schedule;
  const StepCosts& costs = *channels.costs;
  SweepOptions sweep_options;
  sweep_options.loops = made.plan.loops;
  sweep_options.slices = made.plan.slices;
  sweep_options.fold = options.fold;
  sweep_options.instruction_set = options.instruction_set;
  sweep_options.log = log;
  const auto reduced =
      options.fold ? one_period(schedule, costs, made.plan.loops, made.plan.slices) : std::nullopt;
  if (!reduced) return sweep(schedule, costs, sweep_options);
  SweepResult result = sweep(reduced->schedule, costs, sweep_options);
  const std::int32_t positions = schedule.positions();
  result.messages *= positions / reduced->period;
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
  constexpr std::size_t most_known = 1 << 14;
  EvaluationKey key = evaluation_key(made, channel_class);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= most_known) known_.clear();
  const SimDuration swept = evaluate_channel(made, channel_class, options_).makespan;
  known_.emplace(std::move(key), swept);
  return swept;
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
  const std::size_t slowest = slowest_class(build(values, point));
  const auto ln_time = [&](const ParameterValues& at) {
    const CollectiveCase made = build(at, point);
    return std::log(static_cast<double>((made.launch + makespan(made, slowest)).value()));
  };
  const double base = ln_time(values);
  const double width = std::log1p(delta);
  const auto differences = [&](bool central) {
    std::vector<Elasticity> result;
    ParameterValues moved = values;
    for (const auto& [id, value] : values) {
      const ParameterForm form = form_of(id);
      const bool cost = form == ParameterForm::time || form == ParameterForm::cost_factor;
      const double dearer = cost ? 1 + delta : 1 / (1 + delta);
      const double sign = cost ? 1 : -1;
      double& slot = moved[id];
      slot = value * dearer;
      double slope = sign * (ln_time(moved) - base) / width;
      if (central) {
        slot = value / dearer;
        slope = (slope + sign * (base - ln_time(moved)) / width) / 2;
      }
      slot = value;
      if (slope != 0) result.push_back({id, slope});
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
