// How far apart two runs of the same thing may be, and whether a new run is farther.
//
// Model of a measured row's ln(median) in run b: row + common(b) + own(b, row) + error of the
// median. The common part moves every row of a run together (clock, neighbours, placement); on a
// shared machine it is the larger one. It is tested once per group, the own parts row by row with
// Holm's correction, and both share alpha. So a slow-down of everything is not lost among many
// tests, and that of a single row not in the common noise.
//
// Spreads between runs come from the bases. They start from an assumption (RunNoise) that weighs as
// much as some further runs, and Student's distribution with those degrees of freedom pays for what
// the bases do not know. A single base is judged by the assumption alone. No randomness, no state,
// O(rows x bases).
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/report/compare_statistics.hpp"

namespace fabricast {

// Standard deviations of ln(time) from run to run, beyond the errors of the medians.
struct RunNoise {
  double common_ln = 0;  // of all rows together
  double own_ln = 0;     // of each row by itself
};

// What is assumed before any base is seen; docs/comparing.md says where the numbers come from.
RunNoise assumed_noise(std::string_view executor);

// One row: the bases it is in, as (run, estimate of ln us), and the new run.
struct RowRuns {
  std::vector<std::pair<std::size_t, MedianEstimate>> bases;  // at least one
  MedianEstimate fresh;
};

// Rows of one machine and executor, measured in the same runs.
struct RowGroup {
  RunNoise assumed;
  std::vector<RowRuns> rows;
};

struct RowJudgement {
  double change_ln = 0;               // new against the median of the bases
  double noise_ln = 0;                // one standard error of it
  double detectable_ln = 0;           // a slow-down of this row alone that is found 19 times of 20
  double p_slower = 1, p_faster = 1;  // corrected for the number of tests
};

struct GroupJudgement {
  double change_ln = 0;      // median over the rows
  double noise_ln = 0;       // one standard error of it
  double detectable_ln = 0;  // a slow-down of all rows that is found 19 times of 20
  std::vector<RowJudgement> rows;
};

struct NoiseLimits {
  double alpha = 0.01;           // chance of any false alarm over everything judged
  double threshold_ln = 0.0488;  // a smaller change is none
};

std::vector<GroupJudgement> judge_groups(const std::vector<RowGroup>& groups,
                                         const NoiseLimits& limits);

}  // namespace fabricast
