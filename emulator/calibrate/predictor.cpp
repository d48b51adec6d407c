#include "emulator/calibrate/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/normal.hpp"
#include "emulator/base/units.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

bool is_time_or_rate(const ParameterValue& parameter) {
  return parameter.spec.unit == "us" || parameter.spec.unit == "GB/s";
}

double prior_variance(const CalibrationProfile& profile, const std::string& id) {
  const double sigma = profile.find(id)->prior.sigma_ln;
  return sigma * sigma;
}

// Part of the prior variance that samples removed.
double information(const ParameterValue& parameter) {
  if (is_stated(parameter)) return 0;
  const double part = parameter.sigma_ln / parameter.prior.sigma_ln;
  return std::clamp(1 - part * part, 0.0, 1.0);
}

double measured_share(const CalibrationProfile& profile,
                      const std::vector<Prediction::Share>& shares) {
  double measured = 0;
  for (const auto& share : shares) {
    if (share.origin == ParameterOrigin::measured) {
      measured += share.share * information(*profile.find(share.id));
    }
  }
  return measured;
}

std::vector<Elasticity> largest_of(std::vector<Elasticity> elasticities) {
  std::stable_sort(elasticities.begin(), elasticities.end(), [](const auto& a, const auto& b) {
    return std::abs(a.value) > std::abs(b.value);
  });
  if (elasticities.size() > 3) elasticities.resize(3);
  return elasticities;
}

double doublings(double a, double b) { return std::abs(std::log2(a / b)); }

}  // namespace

double parameter_variance(const CalibrationProfile& profile,
                          const std::vector<Elasticity>& elasticities) {
  double variance = 0;
  std::map<std::string, double> reach;  // elasticity x sigma, by parameter
  for (const Elasticity& e : elasticities) {
    const double sigma = e.value * profile.find(e.id)->sigma_ln;
    reach[e.id] = sigma;
    variance += sigma * sigma;
  }
  for (const Correlation& pair : profile.correlations) {
    const auto a = reach.find(pair.a), b = reach.find(pair.b);
    if (a != reach.end() && b != reach.end()) variance += 2 * pair.value * a->second * b->second;
  }
  return std::max(0.0, variance);  // rounding, where two parameters cancel
}

std::vector<Prediction::Share> shares_of(const CalibrationProfile& profile,
                                         const std::vector<Elasticity>& elasticities) {
  std::vector<Prediction::Share> shares;
  std::map<std::string, std::vector<Elasticity>> factors;  // by base
  for (const Elasticity& e : elasticities) {
    const ParameterValue& parameter = *profile.find(e.id);
    if (is_time_or_rate(parameter)) {
      shares.push_back({e.id, std::abs(e.value), parameter.origin});
    } else if (!parameter.spec.base.empty()) {
      factors[parameter.spec.base].push_back(e);
    }
  }
  const std::size_t bases = shares.size();
  for (const auto& [base, by] : factors) {
    double total = 0;
    for (std::size_t i = 0; i < bases; ++i) {
      if (shares[i].id.starts_with(base)) total += shares[i].share;
    }
    if (total <= 0) continue;
    const std::size_t first = shares.size();
    for (const Elasticity& e : by) shares.push_back({e.id, 0, profile.find(e.id)->origin});
    // A base's share is split over itself and its factors by prior variance, a factor counting only
    // as far as it is in play.
    for (std::size_t i = 0; i < bases; ++i) {
      if (!shares[i].id.starts_with(base)) continue;
      std::vector<double> weights{prior_variance(profile, shares[i].id)};
      double sum = weights.front();
      for (const Elasticity& e : by) {
        weights.push_back(prior_variance(profile, e.id) * std::min(1.0, std::abs(e.value) / total));
        sum += weights.back();
      }
      for (std::size_t f = 0; f < by.size(); ++f) {
        shares[first + f].share += shares[i].share * weights[f + 1] / sum;
      }
      shares[i].share *= weights.front() / sum;
    }
  }
  // Kinks and rounding leave a few parts in a thousand; shares are fractions of one.
  double sum = 0;
  for (const auto& share : shares) sum += share.share;
  for (auto& share : shares) share.share /= sum;
  std::erase_if(shares, [](const auto& share) { return share.share <= 0; });
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return shares;
}

namespace {

// NCCL's rows of small sizes are known less well than the discrepancy says, until NCCL was measured
// at such a size. The term is the one of the prior at the smallest size that was.
double unmeasured_ln(const CalibrationProfile& profile, const PointSpec& point) {
  if (point.executor != ExecutorKind::nccl) return 0;
  const auto excess = [](double bytes) {
    const double ratio = bytes / (judgement::unmeasured_small_mib * bytes_per_mib);
    return judgement::unmeasured_small / std::sqrt(1 + ratio * ratio);
  };
  double known = 0;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  for (const EvidencePoint& seen : profile.evidence) {
    if (seen.executor == point.executor) smallest = std::min(smallest, seen.bytes);
  }
  if (smallest <= point.bytes) return 0;
  if (smallest < std::numeric_limits<std::int64_t>::max()) {
    known = excess(static_cast<double>(smallest));
  }
  const double here = excess(static_cast<double>(point.bytes));
  return std::sqrt(std::max(0.0, here * here - known * known));
}

}  // namespace

Predictor::Predictor(const Topology& topology, CalibrationProfile profile, EngineOptions options)
    : profile_(std::move(profile)),
      values_(values_of(profile_)),
      forward_(topology, std::move(options)) {}

SimDuration Predictor::time(const PointSpec& point) { return forward_.time(values_, point); }

PointSpec Predictor::fastest(PointSpec point, const std::vector<Protocol>& protocols) {
  FABRICAST_EXPECT(!protocols.empty(), "a protocol to choose");
  struct Candidate {
    PointSpec point;
    SimDuration at_least;
  };
  std::vector<Candidate> candidates;
  for (const Protocol protocol : protocols) {
    point.protocol = protocol;
    SimDuration at_least;
    if (protocols.size() > 1) {
      const CollectiveCase made = forward_.build(values_, point);
      at_least = std::max(made.bandwidth_bound, occupancy_bound(made));
    }
    candidates.push_back({point, at_least});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.at_least < b.at_least; });
  PointSpec best = candidates.front().point;
  if (candidates.size() == 1) return best;
  SimDuration least = SimDuration::max();
  for (const Candidate& candidate : candidates) {
    if (candidate.at_least >= least) break;  // this one and all after it cannot be faster
    const SimDuration needed = time(candidate.point);
    if (needed < least) {
      least = needed;
      best = candidate.point;
    }
  }
  return best;
}

Prediction Predictor::predict(const PointSpec& point, const StepTraceRequest* steps) {
  const CollectiveCase made = forward_.build(values_, point);
  const PointTime timed = forward_.evaluate(made);
  Prediction prediction;
  prediction.point = point;
  prediction.ranks = made.plan.ranks();
  prediction.channels = static_cast<std::int32_t>(made.plan.channels.size());
  prediction.time = timed.time;
  prediction.loads = made.loads;
  prediction.bound = made.bandwidth_bound;
  prediction.updates = timed.updates;
  prediction.engine_seconds = timed.engine_seconds;
  for (const SweepResult& channel : timed.channels) {
    prediction.classes = std::max(prediction.classes, channel.classes);
    prediction.state_bytes = std::max(prediction.state_bytes, channel.state_bytes);
  }
  // The slowest channel stands for the collective.
  const auto slowest = std::max_element(
      timed.channels.begin(), timed.channels.end(),
      [](const SweepResult& a, const SweepResult& b) { return a.makespan < b.makespan; });
  prediction.stages = slowest->stages;
  const auto slowest_class = static_cast<std::size_t>(slowest - timed.channels.begin());
  prediction.slowest_channel = made.channel_classes[slowest_class].representative;
  if (steps != nullptr) {
    prediction.steps = trace_steps(made, slowest_class, *slowest, forward_.options(), *steps);
  }
  prediction.instruction_set = slowest->instruction_set;
  prediction.fold_note = slowest->fold_note;
  const auto elasticities = forward_.elasticities(values_, point);
  prediction.shares = shares_of(profile_, elasticities);
  prediction.sensitivities = largest_of(elasticities);
  prediction.measured_share = measured_share(profile_, prediction.shares);
  if (!prediction.shares.empty()) {
    const auto& top = prediction.shares.front();
    prediction.limiting_term = fmt::format("{} ({:.0f} %)", top.id, 100 * top.share);
  }
  const double distance_ln = judge_evidence(prediction);
  judge_interval(prediction, elasticities, distance_ln);
  return prediction;
}

bool Predictor::same_regime(const EvidencePoint& seen, const Prediction& prediction) const {
  const PointSpec& point = prediction.point;
  if (seen.executor != point.executor || seen.collective != point.collective ||
      seen.algorithm != point.algorithm || seen.protocol != to_string(point.protocol) ||
      point.max_slices > 0) {  // samples are cut by the protocol's own rule
    return false;
  }
  if (seen.channels == point.channels) return true;
  if (point.channels == 0) return seen.channels == prediction.channels;
  if (seen.channels != 0) return false;
  // Samples follow the executor's rule: does it take as many for this size?
  const Topology& topology = forward_.topology();
  const auto offered = usual_channels(topology, point.executor, point.algorithm);
  return point.channels == plan_limits(point.executor, point.collective, point.algorithm,
                                       point.protocol, topology.space(), point.bytes, offered)
                               .channels;
}

double Predictor::judge_evidence(Prediction& prediction) const {
  const auto bytes = static_cast<double>(prediction.point.bytes);
  constexpr double far_away = std::numeric_limits<double>::max();
  double nearest = far_away, nearest_of_any = far_away;
  std::int32_t fewest = std::numeric_limits<std::int32_t>::max(), most = 0;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max(), largest = 0;
  for (const EvidencePoint& seen : profile_.evidence) {
    const double distance =
        doublings(prediction.ranks, seen.ranks) + doublings(bytes, static_cast<double>(seen.bytes));
    nearest_of_any = std::min(nearest_of_any, distance);
    if (!same_regime(seen, prediction)) continue;
    if (distance < nearest) {
      nearest = distance;
      prediction.evidence_ranks_ratio = static_cast<double>(prediction.ranks) / seen.ranks;
      prediction.evidence_bytes_ratio = bytes / static_cast<double>(seen.bytes);
    }
    if (seen.machine != profile_.machine) continue;
    fewest = std::min(fewest, seen.ranks);
    most = std::max(most, seen.ranks);
    smallest = std::min(smallest, seen.bytes);
    largest = std::max(largest, seen.bytes);
  }
  const bool inside = fewest <= prediction.ranks && prediction.ranks <= most &&
                      smallest <= prediction.point.bytes && prediction.point.bytes <= largest;
  // A fit that misses its samples, or that they did not move, calibrates nothing.
  const bool moved =
      profile_.holdout.empty() ||  // not a fit: evidence as it was given
      std::any_of(profile_.parameters.begin(), profile_.parameters.end(),
                  [](const ParameterValue& p) { return p.identified != Identified::prior; });
  const bool fitted = moved && profile_.discrepancy_ln <= useless_fit_ln;
  prediction.label = inside && fitted ? PredictionLabel::calibrated : PredictionLabel::extrapolated;
  if (inside || profile_.evidence.empty()) return 0;
  if (nearest < far_away) return judgement::growth_per_doubling * nearest;
  return std::hypot(judgement::growth_per_doubling * nearest_of_any, judgement::unseen_regime);
}

void Predictor::judge_interval(Prediction& prediction, const std::vector<Elasticity>& elasticities,
                               double distance_ln) const {
  const double unmeasured = unmeasured_ln(profile_, prediction.point);
  const double variance = parameter_variance(profile_, elasticities) +
                          profile_.discrepancy_ln * profile_.discrepancy_ln +
                          distance_ln * distance_ln + unmeasured * unmeasured;
  set_interval(prediction, std::exp(two_sided_90 * std::sqrt(variance)));
}

void set_interval(Prediction& prediction, double reach) {
  const double time = to_us(prediction.time);
  const ExecutorKind executor = prediction.point.executor;
  const bool stated = executor == ExecutorKind::nccl || executor == ExecutorKind::peers;
  const double least = stated ? std::min(to_us(prediction.bound), time) : 0;
  prediction.low_us = std::max(time / reach, least);
  prediction.high_us = time * reach;
}

std::string_view to_string(PredictionLabel label) {
  switch (label) {
    case PredictionLabel::calibrated:
      return "calibrated";
    case PredictionLabel::extrapolated:
      return "extrapolated";
  }
  return "?";
}

Prediction predict(const Topology& topology, const CalibrationProfile& profile,
                   const PointSpec& point, const EngineOptions& options) {
  return Predictor(topology, profile, options).predict(point);
}

}  // namespace fabricast
