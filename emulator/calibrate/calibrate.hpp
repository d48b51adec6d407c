// calibrate: prior + samples -> posterior of every parameter, with held-out error.
//
// MAP in log space: minimize sum of Huber((ln t_pred(theta) - ln t_obs)/s) over conditions plus
// sum ((ln theta - ln prior)/sigma)^2, by Gauss-Newton with Levenberg damping; t_pred is
// sim/predict. The posterior covariance is the inverse Hessian (Fisher information of the samples
// plus prior precision). A parameter is "identified" when its posterior sigma is below half of its
// prior's, "weak" when it moved at all, else "prior". Deterministic.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/parameter.hpp"
#include "emulator/sim/predict.hpp"

namespace fabricast {

struct CalibrateOptions {
  double holdout_fraction = 0.25;  // every 4th size of each sweep is not fitted but predicted
  double huber = 1.5;              // in units of the observation's sigma
  int max_iterations = 30;
};

// Fits `prior` (from prior_profile) with the samples that belong to its executor and machine.
// Micro-benchmark samples observe their parameter directly. Throws UsageError when no sample
// belongs to the machine and executor.
CalibrationProfile calibrate(const Topology& topology, const CalibrationProfile& prior,
                             const SampleSet& samples, const CalibrateOptions& options = {});

// Carries measured ratios of one executor's profile into another's (e.g. the interpreter's LL128:LL
// hand-off ratio into nccl), by the named rules of transfer.hpp; inflates sigma; labels the values.
void transfer(const CalibrationProfile& from, CalibrationProfile& to);

enum class PredictionLabel : std::uint8_t { measured, calibrated, extrapolated };
std::string_view to_string(PredictionLabel label);

// A prediction with everything a reader needs to judge it.
struct Prediction {
  PointSpec point;
  std::int32_t ranks = 0;
  std::int32_t channels = 0;
  SimDuration time;
  double low_us = 0, high_us = 0;          // nominal 90 % interval
  PredictionLabel label{};
  double evidence_ranks_ratio = 0;         // x ranks from the nearest sample; 0 = no evidence
  double evidence_bytes_ratio = 0;
  double measured_share = 0;               // critical-path fraction in parameters of origin measured
  std::string limiting_term;               // the parameter with the largest share
  struct Share { std::string id; double share = 0; ParameterOrigin origin{}; };
  std::vector<Share> shares;               // all nonzero, largest first; sum 1
  std::vector<LinkLoad> loads;
  SimDuration bound;
  std::vector<StageSpan> stages;
  std::int32_t classes = 0;
  std::int64_t updates = 0;
  double engine_seconds = 0;
};

Prediction predict(const Topology& topology, const CalibrationProfile& profile,
                   const PointSpec& point, const EngineOptions& options = {});

}  // namespace fabricast
