// What the forms of the time model leave over: the spread of ln(predicted / measured) in the tables
// that were fitted, by kind of network and size. Intervals of other points add it.
//
// Of heavy tails (a shared network, steps at switches of protocol) the 90 % point counts, as a
// normal spread would have it. Immutable, thread safe.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "emulator/validate/mechanism_fit.hpp"

namespace fabricast {

class FormError {
 public:
  FormError() = default;  // nothing was fitted: 0 everywhere
  FormError(const MechanismFit& fit, const std::vector<MechanismPoint>& fitted);

  // σ of ln(time). Networks with few points take the spread of all.
  double spread(const TimeCase& time_case) const;

 private:
  std::map<std::pair<int, int>, double> by_network_;  // (network, regime)
  std::map<int, double> by_regime_;
};

}  // namespace fabricast
