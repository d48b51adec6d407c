// predict: forward model + engine = the time of one point, and how it depends on each parameter.
//
// The makespan is a max-plus expression, homogeneous of degree one in the time-like costs, so by
// Euler's theorem T = sum_i theta_i dT/dtheta_i over times and inverse rates: their elasticities
// |d ln T / d ln theta_i| are the fractions of the critical path spent in each parameter and sum to
// one (up to kinks and rounding). Dimensionless factors (an efficiency, a ratio) are not summed:
// they act through the parameter they multiply (ParameterSpec::base).
// Deterministic. A Forward is for one thread; the free functions are pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/sim/sweep.hpp"

namespace fabricast {

struct EngineOptions {
  bool fold = true;
  std::string instruction_set;
  MachineChanges changes{};
  const Communicator* team = nullptr;  // SweepOptions::team: all evaluate the same, in one order
};

struct PointTime {
  SimDuration time;                   // launch + slowest channel
  std::vector<SweepResult> channels;  // one per channel class evaluated
  std::int64_t updates = 0;
  double engine_seconds = 0;
};

PointTime evaluate_case(const CollectiveCase& collective_case, const EngineOptions& options);
// One channel class of it. `log` may be null (SweepOptions::log).
SweepResult evaluate_channel(const CollectiveCase& made, std::size_t channel_class,
                             const EngineOptions& options, StepLog* log = nullptr);

struct Elasticity {
  std::string id;
  double value = 0;  // d ln T / d ln theta, signed: positive for costs, negative for rates
};

// The forward model of one machine with its memory (CaseBuilder): what sweeps and fits use.
class Forward {
 public:
  explicit Forward(const Topology& topology, EngineOptions options = {})
      : builder_(topology, options.changes), options_(std::move(options)) {}

  CollectiveCase build(const ParameterValues& values, const PointSpec& point) {
    return builder_.build(values, point);
  }
  PointTime evaluate(const CollectiveCase& made) const { return evaluate_case(made, options_); }
  // Evaluations are remembered by their costs: equal ones are swept once.
  SimDuration time(const ParameterValues& values, const PointSpec& point);
  // Differences with relative step `delta`, on every parameter in `values` that the point uses; the
  // others are zero and not listed. The channel class that is slowest at `values` is followed. One
  // step per parameter, towards higher cost; where the times and rates then do not sum to one (two
  // paths equally long within the step) central differences are taken.
  std::vector<Elasticity> elasticities(const ParameterValues& values, const PointSpec& point,
                                       double delta = 1.0 / 512);
  const Topology& topology() const { return builder_.topology(); }
  const EngineOptions& options() const { return options_; }

 private:
  SimDuration makespan(const CollectiveCase& made, std::size_t channel_class);
  // Evaluates together, and remembers, what is not known yet of cases of one point.
  void evaluate_together(const std::vector<CollectiveCase>& cases, std::size_t channel_class);
  SimDuration remember(EvaluationKey key, SimDuration swept);
  std::size_t slowest_class(const CollectiveCase& made);

  CaseBuilder builder_;
  EngineOptions options_;
  std::map<EvaluationKey, SimDuration> known_;
};

// One point: build_case + evaluate_case.
SimDuration predict_time(const Topology& topology, const ParameterValues& values,
                         const PointSpec& point);

std::vector<Elasticity> elasticities(const Topology& topology, const ParameterValues& values,
                                     const PointSpec& point, double delta = 1.0 / 512);

}  // namespace fabricast
