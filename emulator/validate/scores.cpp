#include "emulator/validate/scores.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/normal.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {
namespace {

struct Target {
  const char* name;
  Discipline discipline;
  std::size_t band;
  bool one_domain;
  double median, bound, part;
};

// The project's targets, by discipline and regime.
constexpr Target targets[] = {
    {"fit, one NVLink domain, >= 32 MiB", Discipline::fit, 3, true, 0.03, 0.08, 0.90},
    {"fit, all sizes, all classes", Discipline::fit, 0, false, 0.08, 0.20, 0.85},
    {"scale, >= 256 MiB", Discipline::scale, 4, false, 0.10, 0.20, 0.75},
    {"scale, <= 1 MiB", Discipline::scale, 1, false, 0.20, 0.40, 0.70},
    {"transfer, >= 256 MiB", Discipline::transfer, 4, false, 0.12, 0.25, 0.70},
    {"transfer, <= 1 MiB", Discipline::transfer, 1, false, 0.25, 0.50, 0.70},
    {"datasheet, >= 256 MiB", Discipline::datasheet, 4, false, 0.20, 0.40, 0.70},
    {"datasheet, <= 1 MiB", Discipline::datasheet, 1, false, 0.40, 0.75, 0.70},
};

bool one_nvlink_domain(const TimeShape& shape) {
  return shape.nodes == 1 &&
         (shape.link == TimeLink::nvswitch || shape.link == TimeLink::nvlink_mesh);
}

void finish(GroupScore& score) {
  std::sort(score.errors.begin(), score.errors.end());
  score.tables = static_cast<int>(score.errors.size());
  score.median = middle_error(score.errors);
}

}  // namespace

double middle_error(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

const std::vector<SizeBand>& size_bands() {
  static const std::vector<SizeBand> bands{{"all", 0, 1e18},
                                           {"<= 1 MiB", 0, bytes_per_mib},
                                           {"1-32 MiB", bytes_per_mib + 1, 32 * bytes_per_mib - 1},
                                           {">= 32 MiB", 32 * bytes_per_mib * 0.999, 1e18},
                                           {">= 256 MiB", 256 * bytes_per_mib * 0.999, 1e18}};
  return bands;
}

std::optional<double> table_error(const JudgedTable& table, const SizeBand& band, Scored scored) {
  std::vector<double> errors;
  for (const JudgedPoint& point : table.points) {
    if (point.bytes < band.least || point.bytes > band.most) continue;
    const double time = scored == Scored::prediction ? point.predicted_us : point.baseline_us;
    if (time > 0) errors.push_back(std::abs(std::log(time / point.measured_us)));
  }
  if (errors.empty()) return std::nullopt;
  return middle_error(std::move(errors));
}

double GroupScore::part_within(double bound) const {
  if (errors.empty()) return 0;
  const auto end = std::upper_bound(errors.begin(), errors.end(), bound);
  return static_cast<double>(end - errors.begin()) / static_cast<double>(errors.size());
}

bool TargetScore::met() const {
  return score.tables > 0 && score.median <= target_median &&
         score.part_within(target_bound) >= target_part;
}

std::vector<TargetScore> target_scores(const Validation& validation) {
  std::vector<TargetScore> scores;
  for (const Target& target : targets) {
    TargetScore result;
    result.name = target.name;
    result.discipline = target.discipline;
    result.target_median = target.median;
    result.target_bound = target.bound;
    result.target_part = target.part;
    const SizeBand& band = size_bands()[target.band];
    for (const JudgedTable& table : validation.judged) {
      if (table.discipline != target.discipline) continue;
      if (target.one_domain && !one_nvlink_domain(validation.machines[table.table].shape)) continue;
      if (const auto error = table_error(table, band, Scored::prediction)) {
        result.score.errors.push_back(*error);
      }
      if (const auto error = table_error(table, band, Scored::baseline)) {
        result.baseline.errors.push_back(*error);
      }
    }
    finish(result.score);
    finish(result.baseline);
    if (result.score.tables > 0) scores.push_back(std::move(result));
  }
  return scores;
}

std::vector<GroupScore> group_scores(const Validation& validation, Discipline discipline,
                                     const SizeBand& band, Scored scored, bool by_class) {
  std::map<std::string, GroupScore> groups;
  for (const JudgedTable& table : validation.judged) {
    if (table.discipline != discipline) continue;
    const std::string name =
        by_class ? validation.tables[table.table].column("system_class") : "all";
    const auto error = table_error(table, band, scored);
    if (!error) continue;
    groups[name].group = name;
    groups[name].errors.push_back(*error);
  }
  std::vector<GroupScore> scores;
  for (auto& [name, score] : groups) {
    finish(score);
    scores.push_back(std::move(score));
  }
  return scores;
}

std::optional<double> coverage(const Validation& validation, Discipline discipline) {
  double inside = 0, all = 0;
  for (const JudgedTable& table : validation.judged) {
    if (table.discipline != discipline) continue;
    for (const JudgedPoint& point : table.points) {
      const double error = std::abs(std::log(point.predicted_us / point.measured_us));
      inside += error <= two_sided_90 * point.sigma ? 1 : 0;
      ++all;
    }
  }
  if (all == 0) return std::nullopt;
  return inside / all;
}

std::vector<const JudgedTable*> worst_first(const Validation& validation, Discipline discipline) {
  std::vector<std::pair<double, const JudgedTable*>> order;
  for (const JudgedTable& table : validation.judged) {
    if (table.discipline != discipline) continue;
    order.emplace_back(table_error(table, size_bands()[0], Scored::prediction).value_or(0), &table);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const JudgedTable*> tables;
  for (const auto& entry : order) tables.push_back(entry.second);
  return tables;
}

std::string percent(double part) { return fmt::format("{:.1f} %", 100 * part); }

}  // namespace fabricast
