// Numbers that are judgement: no measurement or publication gives them, and predictions rest on
// them.
//
// One place, so that docs/calibration.md lists every one with its reason and nothing else in the
// code decides silently. Sigmas and discrepancies are standard deviations of a logarithm. Constants
// and a static table; thread safe.
#pragma once

#include <string_view>
#include <vector>

namespace fabricast {

namespace judgement {

inline constexpr double least_sigma = 0.01;
inline constexpr double huber = 1.5;
inline constexpr double weak_below = 0.995;
inline constexpr double identified_below = 0.5;
inline constexpr double least_discrepancy = 0.02;
inline constexpr double unmeasured_discrepancy = 0.25;
inline constexpr double unmeasured_small = 0.60;
inline constexpr double unmeasured_small_mib = 64;
inline constexpr double growth_per_doubling = 0.03;
inline constexpr double unseen_regime = 0.10;
inline constexpr double same_generation = 0.15;
inline constexpr double same_fabric = 0.15;
inline constexpr double other_generation = 0.30;
inline constexpr double other_executor = 0.40;
inline constexpr double other_traffic = 0.30;
inline constexpr double least_part_of_hop = 0.25;

}  // namespace judgement

struct Judgement {
  std::string_view name;
  double value;
  std::string_view use, reason;
};

// Every constant above, in that order.
const std::vector<Judgement>& judgements();

}  // namespace fabricast
