// Who evaluates which point of a batch: longest first, each to the process with the least to do.
//
// How long a point takes is what the last point of its collective and algorithm took; one that is
// not known counts as the longest that is. Every process is told the same seconds, so that all come
// to the same shares. What is evaluated does not depend on who does it. Not thread safe.
// O(n log n + n * processes) for n points.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emulator/coordinator/scenario.hpp"

namespace fabricast {

class WorkShares {
 public:
  explicit WorkShares(std::size_t processes) : processes_(processes) {}

  void learn(const ScenarioPoint& point, double seconds);
  // The process of each of `todo`, indices into `points`.
  std::vector<std::size_t> of(const std::vector<ScenarioPoint>& points,
                              const std::vector<std::size_t>& todo) const;

 private:
  using Kind = std::pair<Collective, std::string>;
  static Kind kind_of(const ScenarioPoint& point) { return {point.collective, point.algorithm}; }

  std::size_t processes_;
  std::map<Kind, double> seconds_;
};

}  // namespace fabricast
