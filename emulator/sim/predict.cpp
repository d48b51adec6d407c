#include "emulator/sim/predict.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "emulator/base/contracts.hpp"

namespace fabricast {

PointTime evaluate_case(const CollectiveCase& collective_case, const EngineOptions& options) {
  const ExecutionPlan& plan = collective_case.plan;
  SweepOptions sweep_options;
  sweep_options.loops = plan.loops;
  sweep_options.slices = plan.slices;
  sweep_options.fold = options.fold;
  sweep_options.instruction_set = options.instruction_set;
  PointTime result;
  SimDuration slowest;
  for (const ChannelClass& channels : collective_case.channel_classes) {
    const auto c = static_cast<std::size_t>(channels.representative);
    result.channels.push_back(sweep(*plan.channels[c].schedule, *channels.costs, sweep_options));
    const SweepResult& swept = result.channels.back();
    slowest = std::max(slowest, swept.makespan);
    result.updates += swept.updates;
    result.engine_seconds += swept.engine_seconds;
  }
  result.time = collective_case.launch + slowest;
  return result;
}

SimDuration Forward::time(const ParameterValues& values, const PointSpec& point) {
  return evaluate(build(values, point)).time;
}

std::vector<Elasticity> Forward::elasticities(const ParameterValues& values, const PointSpec& point,
                                              double delta) {
  FABRICAST_EXPECT(delta > 0 && delta < 0.5, "a small relative step");
  // Parameters that act through one cost (bandwidth, its efficiency; all that do not matter here)
  // give equal cases: each different one is swept once.
  std::vector<std::pair<CollectiveCase, SimDuration>> swept;
  const auto ln_time = [&](const ParameterValues& at) {
    CollectiveCase made = build(at, point);
    const auto known = std::find_if(swept.begin(), swept.end(), [&made](const auto& other) {
      return same_step_costs(other.first, made);
    });
    SimDuration steps;
    if (known != swept.end()) {
      steps = known->second;
    } else {
      steps = evaluate(made).time - made.launch;
      swept.emplace_back(made, steps);
    }
    return std::log(static_cast<double>((made.launch + steps).value()));
  };
  std::vector<Elasticity> result;
  ParameterValues moved = values;
  const double width = std::log1p(delta) - std::log1p(-delta);
  ln_time(values);
  for (const auto& [id, value] : values) {
    double& slot = moved[id];
    slot = value * (1 + delta);
    const double up = ln_time(moved);
    slot = value * (1 - delta);
    const double down = ln_time(moved);
    slot = value;
    if (up != down) result.push_back({id, (up - down) / width});
  }
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
