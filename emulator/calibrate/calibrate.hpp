// calibrate: prior + samples -> posterior of every parameter, with held-out error.
//
// MAP in log space: minimize sum of Huber((ln t_pred(theta) - ln t_obs)/s) over conditions plus
// sum ((ln theta - ln prior)/sigma)^2, by Gauss-Newton with Levenberg damping; t_pred is
// sim/predict (fit.hpp). The posterior covariance is the inverse Hessian (Fisher information of the
// samples plus prior precision). A parameter is "identified" when its posterior sigma is below half
// of its prior's, "weak" when the samples told anything of it, else "prior" and left where it was.
// The model's own error (discrepancy) is what held-out points need beyond parameters and noise for
// nine in ten of them to lie inside their intervals.
// Each sample is fitted under the algorithm, protocol and channels it was measured with, so nothing
// is interpolated across a switch; where the library chose, the model's own choice is taken.
// Deterministic; not thread safe within one call.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "emulator/profile/judgement.hpp"
#include "emulator/profile/parameter.hpp"
#include "emulator/sim/predict.hpp"
#include "emulator/sim/step_trace.hpp"

namespace fabricast {

// What the library takes for a sample of its free choice (Conditions, algorithm "nccl", protocol
// "auto") on the machine cut to its ranks; nothing where that is not known.
using LibraryRule =
    std::function<std::optional<PointSpec>(const Topology& cut, const PointSpec& asked)>;

struct CalibrateOptions {
  double holdout_fraction = 0.25;  // every 4th size of each sweep is not fitted but predicted
  double huber = judgement::huber;  // in units of the observation's sigma
  int max_iterations = 30;
  // Not null: collectives that are predicted and compared, never fitted; no evidence either.
  const SampleSet* against = nullptr;
  // Whose choice rows of `emulate -a auto` have. Without it, and where it tells nothing, the
  // algorithm and protocol with the least time at the priors are taken.
  LibraryRule library{};
};

// Fits `prior` (from prior_profile) with the samples that belong to its executor and machine.
// Micro-benchmark samples observe their parameter directly. Throws UsageError when no sample
// belongs to the machine and executor.
CalibrationProfile calibrate(const Topology& topology, const CalibrationProfile& prior,
                             const SampleSet& samples, const CalibrateOptions& options = {});

// Carries measured values of one profile into another's, by the named rules of transfer.hpp only;
// inflates sigma; labels the values.
void transfer(const CalibrationProfile& from, CalibrationProfile& to);

// calibrated: inside the ranks and bytes that samples of this machine cover in the prediction's own
// regime (executor, collective, algorithm, protocol, channels). No prediction is "measured": that
// word is for rows whose time is the measurement itself.
enum class PredictionLabel : std::uint8_t { calibrated, extrapolated };
std::string_view to_string(PredictionLabel label);

// A prediction with everything a reader needs to judge it.
struct Prediction {
  PointSpec point;
  std::int32_t ranks = 0;
  std::int32_t channels = 0;
  SimDuration time;
  // Nominal 90 % interval: parameters (posterior sigmas with their correlations), model
  // discrepancy, and distance from the evidence.
  double low_us = 0, high_us = 0;
  PredictionLabel label{};
  // x ranks and bytes of the nearest sample of the same regime, of any machine; 0: there is none.
  double evidence_ranks_ratio = 0;
  double evidence_bytes_ratio = 0;
  // Critical-path fraction in parameters of origin measured, each weighted with the part of its
  // prior variance that the samples removed: a weakly identified parameter counts for little.
  double measured_share = 0;
  std::string limiting_term;  // the parameter with the largest share, and its share
  struct Share {
    std::string id;
    double share = 0;
    ParameterOrigin origin{};
  };
  std::vector<Share> shares;  // all nonzero, largest first; sum 1
  // The largest |d ln T / d ln theta|, at most three, largest first. Not shares: a rate and the
  // efficiency that multiplies it have the same, and they do not sum to one.
  std::vector<Elasticity> sensitivities;
  std::vector<LinkLoad> loads;
  SimDuration bound;
  std::vector<StageSpan> stages;  // of the slowest channel, from its first step (after the launch)
  std::int32_t slowest_channel = 0;
  std::optional<StepTrace> steps;          // of that channel, when asked for
  std::int32_t classes = 0;                // most classes (or ranks) evaluated in one channel
  std::int64_t updates = 0;
  double engine_seconds = 0;  // of the base evaluation only, elasticities not counted
  std::int64_t state_bytes = 0;
  std::string instruction_set;
  std::string fold_note;
  std::string engine = "sweep";  // what the time is from: sweep, flow
  std::int64_t flows = 0, flow_events = 0;  // of the flow engine
};

// One point. Many points of one machine and profile: predictor.hpp keeps plans and flow counts.
Prediction predict(const Topology& topology, const CalibrationProfile& profile,
                   const PointSpec& point, const EngineOptions& options = {});

}  // namespace fabricast
