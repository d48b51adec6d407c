// Maximum a posteriori fit of the time model's mechanisms to many systems at once.
//
// ln(mechanism of a system) = ln(prior) + universal + scope + system effects, each normal around 0
// with the σ of its MechanismSpec. Residuals are ln(predicted / measured), Student t (4 degrees of
// freedom), so outliers weigh little. Newton steps on the arrow-shaped normal equations: effects of
// one system meet those of another only through the shared ones, and are eliminated first.
// Cost of a step: points x mechanisms evaluations and one factorization of the shared effects.
// A fit is immutable once made; predictions from several threads are safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/nccl/time_model.hpp"

namespace fabricast {

struct MechanismPoint {
  TimeCase time_case;
  TimeChoice choice;
  std::string system;
  double log_time = 0;  // ln of the measured microseconds
  double sigma = 0.1;   // of ln(measured), model error included
};

struct PointPrediction {
  double time_us = 0;
  double sigma = 0;  // of ln(time), from the uncertainty of the mechanisms alone
};

// What a fit says of one effect.
struct EffectReport {
  std::string mechanism, scope;  // "universal", "hopper", "system Name"
  double effect = 0;             // added to ln(prior)
  double prior_sigma = 0, posterior_sigma = 0;
};

class MechanismFit {
 public:
  // Of no points: the priors. `start` may hold a fit of nearly the same points.
  explicit MechanismFit(const std::vector<MechanismPoint>& points,
                        const MechanismFit* start = nullptr);
  ~MechanismFit();
  MechanismFit(MechanismFit&&) noexcept;

  MechanismValues values(const TimeShape& shape, const std::string& system) const;
  PointPrediction predict(const TimeCase& time_case, const TimeChoice& choice,
                          const std::string& system) const;
  // Shared effects first, then those of systems; only what points depend on.
  std::vector<EffectReport> effects() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fabricast
