// The fit itself: observations and a prior in, posterior values and sigmas out.
//
// Iteratively reweighted (Huber) Gauss-Newton in log space with Levenberg damping; derivatives are
// Forward::elasticities, so a parameter enters exactly as much as the critical path holds it. The
// noise of the observations is inflated once to the residuals' robust scale (1.4826 x median
// absolute residual): where the model is off, posterior sigmas must not pretend otherwise.
// Deterministic. One Fit per thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/calibrate/observations.hpp"

namespace fabricast {

// Forward models of one machine cut to the rank counts of the samples.
class ForwardSet {
 public:
  explicit ForwardSet(const Topology& topology);
  // Throws UsageError when the machine cannot be cut to so many ranks.
  Forward& of(std::int32_t ranks);

 private:
  std::shared_ptr<const Topology> whole_;  // not owning
  struct Cut {
    std::shared_ptr<const Topology> topology;
    std::unique_ptr<Forward> forward;
  };
  std::map<std::int32_t, Cut> cuts_;
};

struct FitResult {
  std::vector<double> values;    // in the order of prior.parameters
  std::vector<double> sigma_ln;  // posterior
  std::vector<int> informed_by;  // conditions with any influence on the parameter
  double residual_scale = 0;     // robust, of the fitted residuals
};

// Fits observations that are not held out. `choose` points are resolved by the model at the prior.
FitResult fit(ForwardSet& forwards, const CalibrationProfile& prior,
              std::vector<Observation>& observations, const CalibrateOptions& options);

// The (algorithm, protocol) with the least predicted time: what the library is taken to have chosen.
void resolve_choice(Forward& forward, const ParameterValues& values, Observation& observation);

}  // namespace fabricast
