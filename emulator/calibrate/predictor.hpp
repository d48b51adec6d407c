// predict for many points of one machine and profile: plans, flow counts and values are kept.
//
// Not thread safe; one Predictor per thread. The topology must outlive it.
#pragma once

#include <vector>

#include "emulator/calibrate/calibrate.hpp"

namespace fabricast {

// ln of a factor of two: a fit that misses what was measured by more says nothing.
inline constexpr double useless_fit_ln = 0.6931;

class Predictor {
 public:
  Predictor(const Topology& topology, CalibrationProfile profile, EngineOptions options = {});

  // `steps`: not null to have the steps of the slowest channel too.
  Prediction predict(const PointSpec& point, const StepTraceRequest* steps = nullptr);
  // Time alone, without shares and interval: an order of magnitude cheaper.
  SimDuration time(const PointSpec& point);
  // The point under the protocol with the least predicted time. Protocols whose lanes are occupied
  // for longer than another one takes are not evaluated.
  PointSpec fastest(PointSpec point, const std::vector<Protocol>& protocols);
  const CalibrationProfile& profile() const { return profile_; }

 private:
  bool same_regime(const EvidencePoint& seen, const Prediction& prediction) const;
  // Label and ratios; returns the std of ln(time) to add for distance from the evidence.
  double judge_evidence(Prediction& prediction) const;
  void judge_interval(Prediction& prediction, const std::vector<Elasticity>& elasticities,
                      double distance_ln) const;

  CalibrationProfile profile_;
  ParameterValues values_;
  Forward forward_;
};

// The interval of the time and the bound that are there: time / reach to time * reach, but not
// below the bandwidth bound where link rates are stated and not fitted (nccl, peers).
void set_interval(Prediction& prediction, double reach);

// e^T C e: elasticities e, posterior covariance C of ln(parameters). O(pairs of correlations).
double parameter_variance(const CalibrationProfile& profile,
                          const std::vector<Elasticity>& elasticities);

// Fractions of the critical path by parameter, largest first, sum one. Times and rates hold their
// elasticity; a dimensionless factor takes from its base the part that its prior's variance has in
// both: of bandwidth (known) times efficiency (fitted), the efficiency owns nearly all.
std::vector<Prediction::Share> shares_of(const CalibrationProfile& profile,
                                         const std::vector<Elasticity>& elasticities);

}  // namespace fabricast
