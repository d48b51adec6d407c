#include "emulator/calibrate/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/normal.hpp"
#include "emulator/calibrate/fit.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

constexpr double covered = 0.9;             // of points inside their intervals
constexpr std::size_t least_holdout = 9;    // of fewer points none is a 90 % quantile
constexpr double least_correlation = 1e-6;  // what rounding leaves of independence

EvidencePoint evidence_of(const Observation& seen) {
  const Conditions& c = seen.conditions;
  return {seen.point.executor,
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
    if (part >= judgement::weak_below) {  // stays what it was: nobody measured it
      parameter.samples = 0;
      parameter.identified = Identified::prior;
      continue;
    }
    parameter.value = fitted.values[j];
    parameter.sigma_ln = fitted.sigma_ln[j];
    parameter.identified =
        part < judgement::identified_below ? Identified::identified : Identified::weak;
    parameter.origin = ParameterOrigin::measured;
    parameter.source = fmt::format("fit of {} conditions measured on {}; prior: {}",
                                   parameter.samples, profile.machine, parameter.prior.source);
  }
}

// What the fit knows of parameters together. Those left at their priors were told nothing, nor
// anything together with others.
void take_correlations(CalibrationProfile& profile, const FitResult& fitted) {
  const auto& parameters = profile.parameters;
  const std::size_t n = parameters.size();
  profile.correlations.clear();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (parameters[i].identified == Identified::prior ||
          parameters[j].identified == Identified::prior) {
        continue;
      }
      const double value = fitted.covariance[i * n + j] / (fitted.sigma_ln[i] * fitted.sigma_ln[j]);
      if (std::abs(value) < least_correlation) continue;
      profile.correlations.push_back(
          {parameters[i].spec.id, parameters[j].spec.id, std::clamp(value, -1.0, 1.0)});
    }
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

// The least model error with which nine in ten of the points, and one more like them, lie inside
// their 90 % intervals: the order statistic of split conformal prediction (Vovk, Gammerman, Shafer
// 2005). It asks nothing of the errors' distribution, and points that parameters alone would
// explain twice over cannot cancel those that they do not explain.
double discrepancy_of(const std::vector<Error>& errors, std::size_t without) {
  std::vector<double> needed;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i == without) continue;
    const double reach = errors[i].ln_error / two_sided_90;
    needed.push_back(std::sqrt(std::max(0.0, reach * reach - errors[i].explained)));
  }
  if (needed.empty()) return judgement::least_discrepancy;
  const auto rank =
      static_cast<std::size_t>(std::ceil(covered * static_cast<double>(needed.size() + 1)));
  const auto nth = std::min(rank, needed.size()) - 1;
  const auto place = needed.begin() + static_cast<std::ptrdiff_t>(nth);
  std::nth_element(needed.begin(), place, needed.end());
  return std::max(*place, judgement::least_discrepancy);
}

void judge(ForwardSet& forwards, CalibrationProfile& profile,
           const std::vector<Observation>& observations) {
  std::vector<Error> judged, fitted;
  for (const Observation& seen : observations) {
    if (!is_collective(seen)) continue;
    (seen.held_out ? judged : fitted).push_back(error_of(forwards, profile, seen));
  }
  const std::size_t held = judged.size();
  const bool enough = held >= least_holdout;
  if (!enough) judged.insert(judged.end(), fitted.begin(), fitted.end());
  if (judged.empty()) return;  // direct observations only: the prior's discrepancy stands
  double squares = 0;
  for (const Error& error : judged) squares += error.ln_error * error.ln_error;
  profile.discrepancy_ln = discrepancy_of(judged, judged.size());
  profile.discrepancy_source =
      fmt::format("{} residuals of {} points, rms {:.1f} %",
                  enough      ? "held-out"
                  : held == 0 ? "fitted"
                              : "held-out and fitted",
                  judged.size(), 100 * std::sqrt(squares / static_cast<double>(judged.size())));
  // Each held-out point is judged by an interval that it did not help to make.
  for (std::size_t i = 0; i < held; ++i) {
    const double discrepancy = discrepancy_of(judged, i);
    const double sigma = std::sqrt(judged[i].explained + discrepancy * discrepancy);
    judged[i].point.inside_interval = std::abs(judged[i].ln_error) <= two_sided_90 * sigma;
    profile.holdout.push_back(judged[i].point);
  }
}

void add_against(const SampleSet& samples, const CalibrationProfile& prior,
                 std::vector<Observation>& observations) {
  const std::size_t before = observations.size();
  for (Observation& seen : observations_of(samples, prior.machine, prior.executor, 0)) {
    if (!is_collective(seen)) continue;
    seen.held_out = seen.only_predicted = true;
    observations.push_back(std::move(seen));
  }
  if (observations.size() > before) return;
  throw UsageError(
      fmt::format("none of the samples to predict is of a collective by executor {} on machine "
                  "\"{}\" measure them with that machine's file (measure --machine)",
                  to_string(prior.executor), prior.machine));
}

}  // namespace

CalibrationProfile calibrate(const Topology& topology, const CalibrationProfile& prior,
                             const SampleSet& samples, const CalibrateOptions& options) {
  auto observations =
      observations_of(samples, prior.machine, prior.executor, options.holdout_fraction);
  if (observations.empty()) {
    for (const Conditions& c : samples.conditions) {
      const NotFitted out = not_fitted(c);
      if (out.what.empty() || c.machine != prior.machine || model_of(c) != prior.executor) continue;
      throw UsageError(
          fmt::format("no sample can be fitted, such as that of {} ({}) measure "
                      "something else, such as ring",
                      out.what, out.why));
    }
    throw UsageError(
        fmt::format("no sample belongs to machine \"{}\" and executor {} (the set has {} "
                    "conditions) measure there, or name the machine of the samples",
                    prior.machine, to_string(prior.executor), samples.conditions.size()));
  }
  if (options.against != nullptr) add_against(*options.against, prior, observations);
  ForwardSet forwards(topology);
  CalibrationProfile profile = prior;
  const FitResult fitted = fit(forwards, prior, observations, options);
  take_posterior(profile, fitted);
  take_correlations(profile, fitted);
  profile.evidence.clear();
  profile.holdout.clear();
  for (const Observation& seen : observations) {
    if (is_collective(seen) && !seen.only_predicted) profile.evidence.push_back(evidence_of(seen));
  }
  judge(forwards, profile, observations);
  return profile;
}

}  // namespace fabricast
