#include "emulator/report/compare_noise.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace fabricast {
namespace {

// An assumption counts as much as this many further runs. More would keep bases from correcting it;
// fewer would make Student's tails so heavy that one base shows nothing (docs/comparing.md).
constexpr double common_weight = 8;
constexpr double own_weight = 12;
// 95 % of a normal distribution lies below: "found 19 times of 20".
constexpr double one_sided_95 = 1.645;

double square(double x) { return x * x; }

// How much more the median of n independent normal values varies than their mean: pi/2 for many.
double median_factor(std::size_t n) { return n > 2 ? 1.5708 : 1.0; }

// Median of a chi-square over its degrees of freedom (Wilson and Hilferty, PNAS 17 (1931) 684).
double chi_square_median(double degrees) { return std::pow(1 - 2 / (9 * degrees), 3); }

// What the bases of a group say. Vectors by row.
struct Spread {
  std::vector<double> center;  // median of the bases: one disturbed run must not move it
  std::vector<double> within;  // variance of a base's error
  std::vector<double> own;     // variance of a run's own part and error
  double common = 0;           // variance of the common part of one run
  double runs = 1;
};

std::vector<double> common_parts(const RowGroup& group, const std::vector<double>& center) {
  std::map<std::size_t, std::vector<double>> away;
  for (std::size_t r = 0; r < group.rows.size(); ++r) {
    for (const auto& [run, base] : group.rows[r].bases) {
      away[run].push_back(base.median - center[r]);
    }
  }
  std::vector<double> parts(away.empty() ? 0 : away.rbegin()->first + 1);
  double sum = 0;
  for (auto& [run, values] : away) sum += parts[run] = median_of(std::move(values));
  for (const auto& [run, values] : away) parts[run] -= sum / static_cast<double>(away.size());
  return parts;
}

// The variance of one run's own part and of the error of its median, for each row: never below the
// assumption, never below what is usual in the group, and more where the row's bases say so.
std::vector<double> own_variances(const RowGroup& group, const std::vector<double>& center,
                                  const std::vector<double>& within,
                                  const std::vector<double>& common) {
  std::vector<double> found(group.rows.size(), 0), usual;
  for (std::size_t r = 0; r < group.rows.size(); ++r) {
    const auto& bases = group.rows[r].bases;
    if (bases.size() < 2) continue;
    for (const auto& [run, base] : bases) found[r] += square(base.median - center[r] - common[run]);
    const auto degrees = static_cast<double>(bases.size() - 1);
    found[r] /= degrees;
    usual.push_back(found[r] / chi_square_median(degrees));
  }
  const double pooled = usual.empty() ? 0 : median_of(std::move(usual));
  for (std::size_t r = 0; r < group.rows.size(); ++r) {
    const auto degrees = static_cast<double>(group.rows[r].bases.size() - 1);
    const double least = std::max(pooled, square(group.assumed.own_ln) + within[r]);
    const double mixed = (own_weight * least + degrees * found[r]) / (own_weight + degrees);
    found[r] = std::max(least, mixed);
  }
  return found;
}

Spread spread_of(const RowGroup& group) {
  Spread spread;
  for (const RowRuns& row : group.rows) {
    std::vector<double> medians;
    double errors = 0;
    for (const auto& [run, base] : row.bases) {
      medians.push_back(base.median);
      errors += square(base.error);
    }
    const auto count = static_cast<double>(row.bases.size());
    spread.center.push_back(median_of(std::move(medians)));
    spread.within.push_back(errors / count);
    spread.runs = std::max(spread.runs, count);
  }
  const auto common = common_parts(group, spread.center);
  spread.own = own_variances(group, spread.center, spread.within, common);
  double sum = 0;
  for (const double part : common) sum += square(part);
  spread.common =
      (common_weight * square(group.assumed.common_ln) + sum) / (common_weight + spread.runs - 1);
  return spread;
}

struct GroupTests {
  GroupJudgement judged;
  std::vector<double> own_slower, own_faster;  // p values by row, uncorrected
  double common_slower = 1, common_faster = 1;
};

GroupTests test_group(const RowGroup& group, const NoiseLimits& limits, double groups,
                      double all_rows) {
  GroupTests tests;
  const Spread spread = spread_of(group);
  std::vector<double> changes;
  for (std::size_t r = 0; r < group.rows.size(); ++r) {
    changes.push_back(group.rows[r].fresh.median - spread.center[r]);
  }
  const double shift = median_of(changes);
  const auto runs = static_cast<std::size_t>(spread.runs);
  const double common = spread.common * (1 + median_factor(runs) / spread.runs);
  double own_sum = 0;
  for (std::size_t r = 0; r < group.rows.size(); ++r) {
    const RowRuns& row = group.rows[r];
    const auto bases = static_cast<double>(row.bases.size());
    const double fresh =
        std::max(spread.own[r], square(group.assumed.own_ln) + square(row.fresh.error));
    const double own = fresh + median_factor(row.bases.size()) * spread.own[r] / bases;
    own_sum += own;
    const double degrees = own_weight + bases - 1;
    const double t = (changes[r] - shift) / std::sqrt(own);
    tests.own_slower.push_back(student_tail(t, degrees));
    tests.own_faster.push_back(student_tail(-t, degrees));
    const double noise = std::sqrt(own + common);
    const double critical = student_quantile(limits.alpha / 2 / all_rows, degrees) * std::sqrt(own);
    tests.judged.rows.push_back(
        {changes[r], noise, std::max(limits.threshold_ln, critical) + one_sided_95 * noise, 1, 1});
  }
  const auto count = static_cast<double>(group.rows.size());
  const double noise =
      std::sqrt(common + median_factor(group.rows.size()) * own_sum / count / count);
  const double degrees = common_weight + spread.runs - 1;
  tests.common_slower = student_tail(shift / noise, degrees);
  tests.common_faster = student_tail(-shift / noise, degrees);
  const double critical = student_quantile(limits.alpha / 2 / groups, degrees) * noise;
  tests.judged.change_ln = shift;
  tests.judged.noise_ln = noise;
  tests.judged.detectable_ln = std::max(limits.threshold_ln, critical) + one_sided_95 * noise;
  return tests;
}

}  // namespace

RunNoise assumed_noise(std::string_view executor) {
  // Threads and processes on shared cores: 5 % each, measured over 14 runs of one binary.
  if (executor == "host" || executor == "mpi") return {0.05, 0.05};
  // 1.1 %: two runs of one binary on a quiet machine were 1.6 % apart, which is sqrt(2) times that.
  return {0.011, 0.0055};
}

std::vector<GroupJudgement> judge_groups(const std::vector<RowGroup>& groups,
                                         const NoiseLimits& limits) {
  std::size_t all_rows = 0;
  for (const RowGroup& group : groups) all_rows += group.rows.size();
  std::vector<GroupTests> tests;
  std::vector<double> slower, faster;
  for (const RowGroup& group : groups) {
    tests.push_back(test_group(group, limits, static_cast<double>(groups.size()),
                               static_cast<double>(all_rows)));
    const GroupTests& last = tests.back();
    slower.insert(slower.end(), last.own_slower.begin(), last.own_slower.end());
    faster.insert(faster.end(), last.own_faster.begin(), last.own_faster.end());
  }
  slower = holm_adjusted(slower);
  faster = holm_adjusted(faster);
  // Half of alpha for the own tests, half for the common ones, shared equally by the groups.
  const double common_tests = 2 * static_cast<double>(groups.size());
  std::vector<GroupJudgement> judged;
  std::size_t next = 0;
  for (GroupTests& group : tests) {
    for (RowJudgement& row : group.judged.rows) {
      row.p_slower = std::min({1.0, 2 * slower[next], common_tests * group.common_slower});
      row.p_faster = std::min({1.0, 2 * faster[next], common_tests * group.common_faster});
      ++next;
    }
    judged.push_back(std::move(group.judged));
  }
  return judged;
}

}  // namespace fabricast
