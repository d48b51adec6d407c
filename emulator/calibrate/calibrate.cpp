#include "emulator/calibrate/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/calibrate/fit.hpp"
#include "emulator/calibrate/predictor.hpp"

namespace fabricast {
namespace {

constexpr double least_discrepancy = 0.02;  // repeats of whole runs: published repeatability sets
constexpr double quantile_90 = 1.645;       // of a normal distribution, two-sided 90 %
constexpr double weak_below = 0.995;        // posterior / prior sigma that counts as told anything
constexpr double identified_below = 0.5;
constexpr std::size_t least_holdout = 3;  // fewer held-out points say nothing about the model

EvidencePoint evidence_of(const Observation& seen) {
  const Conditions& c = seen.conditions;
  return {c.executor,
          c.machine,
          c.collective,
          seen.point.algorithm,
          std::string(to_string(seen.point.protocol)),
          c.ranks,
          c.bytes,
          seen.point.channels};
}

void take_posterior(CalibrationProfile& profile, const FitResult& fitted) {
  for (std::size_t j = 0; j < profile.parameters.size(); ++j) {
    ParameterValue& parameter = profile.parameters[j];
    if (is_stated(parameter)) continue;
    const double part = fitted.sigma_ln[j] / parameter.prior.sigma_ln;
    parameter.samples = fitted.informed_by[j];
    if (part >= weak_below) {  // stays what it was: nobody measured it
      parameter.samples = 0;
      parameter.identified = Identified::prior;
      continue;
    }
    parameter.value = fitted.values[j];
    parameter.sigma_ln = fitted.sigma_ln[j];
    parameter.identified = part < identified_below ? Identified::identified : Identified::weak;
    parameter.origin = ParameterOrigin::measured;
    parameter.source = fmt::format("fit of {} conditions measured on {}; prior: {}",
                                   parameter.samples, profile.machine, parameter.prior.source);
  }
}

struct Error {
  HoldoutPoint point;
  double ln_error = 0;
  double explained = 0;  // variance from parameters and from the observation itself
};

Error error_of(ForwardSet& forwards, const CalibrationProfile& profile, const Observation& seen) {
  const ParameterValues values = values_of(profile);
  Forward& forward = forwards.of(seen.conditions.ranks);
  Error error;
  error.point.point = evidence_of(seen);
  error.point.predicted_us = to_us(forward.time(values, seen.point));
  error.point.measured_us = std::exp(seen.ln_value);
  error.ln_error = std::log(error.point.predicted_us) - seen.ln_value;
  error.explained = seen.sigma * seen.sigma +
                    parameter_variance(profile, forward.elasticities(values, seen.point));
  return error;
}

// What the errors show beyond what parameters and noise explain.
double discrepancy_of(const std::vector<Error>& errors, std::size_t without) {
  double excess = 0;
  double count = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i == without) continue;
    excess += errors[i].ln_error * errors[i].ln_error - errors[i].explained;
    count += 1;
  }
  const double variance = count > 0 ? excess / count : 0;
  return std::sqrt(std::max(variance, least_discrepancy * least_discrepancy));
}

void judge(ForwardSet& forwards, CalibrationProfile& profile,
           const std::vector<Observation>& observations) {
  std::vector<Error> held, fitted;
  for (const Observation& seen : observations) {
    if (!seen.parameter.empty()) continue;
    (seen.held_out ? held : fitted).push_back(error_of(forwards, profile, seen));
  }
  const bool enough = held.size() >= least_holdout;
  const auto& judged = enough ? held : fitted;
  double squares = 0;
  for (const Error& error : judged) squares += error.ln_error * error.ln_error;
  if (judged.empty()) return;  // direct observations only: the prior's discrepancy stands
  profile.discrepancy_ln = discrepancy_of(judged, judged.size());
  profile.discrepancy_source =
      fmt::format("{} residuals of {} points, rms {:.1f} %", enough ? "held-out" : "fitted",
                  judged.size(), 100 * std::sqrt(squares / static_cast<double>(judged.size())));
  // Each held-out point is judged by an interval that it did not help to make.
  for (std::size_t i = 0; i < held.size(); ++i) {
    const double discrepancy = enough ? discrepancy_of(held, i) : profile.discrepancy_ln;
    const double sigma = std::sqrt(held[i].explained + discrepancy * discrepancy);
    held[i].point.inside_interval = std::abs(held[i].ln_error) <= quantile_90 * sigma;
    profile.holdout.push_back(held[i].point);
  }
}

}  // namespace

CalibrationProfile calibrate(const Topology& topology, const CalibrationProfile& prior,
                             const SampleSet& samples, const CalibrateOptions& options) {
  auto observations =
      observations_of(samples, prior.machine, prior.executor, options.holdout_fraction);
  if (observations.empty()) {
    throw UsageError(
        fmt::format("no sample belongs to machine \"{}\" and executor {} (the set has {} "
                    "conditions) measure there, or name the machine of the samples",
                    prior.machine, to_string(prior.executor), samples.conditions.size()));
  }
  ForwardSet forwards(topology);
  CalibrationProfile profile = prior;
  const FitResult fitted = fit(forwards, prior, observations, options);
  take_posterior(profile, fitted);
  profile.evidence.clear();
  profile.holdout.clear();
  for (const Observation& seen : observations) {
    if (seen.parameter.empty()) profile.evidence.push_back(evidence_of(seen));
  }
  judge(forwards, profile, observations);
  return profile;
}

}  // namespace fabricast
