// Which samples of one condition were disturbed by something that is not the collective.
//
// A scheduler tick that runs a third process costs milliseconds and hits one iteration in hundreds.
// Such samples stay in the file, flagged and counted; calibration does not fit them. Nothing is
// ever dropped. Only large values are candidates: nothing makes a collective too fast.
// Pure functions; O(n log n).
#pragma once

#include <span>
#include <string>
#include <vector>

namespace fabricast {

struct DisturbanceRule {
  double factor = 2;       // above this many medians, and ...
  double sigmas = 10;      // ... this many robust standard deviations (1.4826 MAD) above the median
  double max_share = 0.1;  // if more than this share would go, it is a mode of the machine: none go

  std::string description() const;
};

// Flags by value; all false for fewer than 5 values (no median to speak of).
std::vector<bool> disturbed(std::span<const double> values, const DisturbanceRule& rule = {});

}  // namespace fabricast
