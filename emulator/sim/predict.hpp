// predict: forward model + engine = the time of one point, and how it depends on each parameter.
//
// The makespan is a max-plus expression, homogeneous of degree one in the time-like costs, so by
// Euler's theorem T = sum_i theta_i dT/dtheta_i over parameters in their time-like form: the
// elasticities |d ln T / d ln theta_i| are the fractions of the critical path spent in each parameter
// and sum to one (up to kinks and rounding). Pure functions; deterministic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/sim/sweep.hpp"

namespace fabricast {

struct EngineOptions {
  bool fold = true;
  std::string instruction_set;
};

struct PointTime {
  SimDuration time;                    // launch + slowest channel
  std::vector<SweepResult> channels;   // one per channel class evaluated
  std::int64_t updates = 0;
  double engine_seconds = 0;
};

PointTime evaluate_case(const CollectiveCase& collective_case, const EngineOptions& options);

// build_case + evaluate_case.
SimDuration predict_time(const Topology& topology, const ParameterValues& values,
                         const PointSpec& point);

struct Elasticity {
  std::string id;
  double value = 0;  // d ln T / d ln theta, signed: positive for costs, negative for rates
};

// Central differences with relative step `delta` (default 1/512) on every parameter in `values`.
std::vector<Elasticity> elasticities(const Topology& topology, const ParameterValues& values,
                                     const PointSpec& point, double delta = 1.0 / 512);

}  // namespace fabricast
