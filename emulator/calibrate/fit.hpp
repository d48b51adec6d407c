// The fit itself: observations and a prior in, posterior values and sigmas out.
//
// Iteratively reweighted (Huber) Gauss-Newton in log space with Levenberg damping; derivatives are
// Forward::elasticities, so a parameter enters exactly as much as the critical path holds it. The
// noise of the observations is inflated once to the residuals' robust scale (1.4826 x median
// absolute residual): where the model is off, posterior sigmas must not pretend otherwise.
// Stated parameters (prior sigma 0) are left where they are. Deterministic. One Fit per thread.
#pragma once

#include <vector>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/calibrate/forward_set.hpp"
#include "emulator/calibrate/observations.hpp"

namespace fabricast {

struct FitResult {
  std::vector<double> values;    // in the order of prior.parameters
  std::vector<double> sigma_ln;  // posterior
  std::vector<double> covariance;  // posterior, of ln values; row-major, 0 for stated parameters
  std::vector<int> informed_by;  // conditions with any influence on the parameter
  double residual_scale = 0;     // robust, of the fitted residuals
};

// Fits observations that are not held out. `choose` points are resolved by the model at the prior.
FitResult fit(ForwardSet& forwards, const CalibrationProfile& prior,
              std::vector<Observation>& observations, const CalibrateOptions& options);

}  // namespace fabricast
