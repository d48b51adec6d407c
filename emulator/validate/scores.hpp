// Error tables: per table the median over its sizes of |ln(predicted / measured)|, per group the
// median over tables and the part of tables within a bound.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/validate/disciplines.hpp"

namespace fabricast {

struct SizeBand {
  std::string name;
  double least, most;  // bytes, both inclusive
};

// all, <= 1 MiB, 1 to 32 MiB (open), >= 32 MiB, >= 256 MiB.
const std::vector<SizeBand>& size_bands();

enum class Scored : std::uint8_t { prediction, baseline };

// Absent where the table has no size in the band (or no baseline there).
std::optional<double> table_error(const JudgedTable& table, const SizeBand& band, Scored scored);

struct GroupScore {
  std::string group;
  int tables = 0;
  double median = 0;
  std::vector<double> errors;  // one per table, sorted
  double part_within(double bound) const;
};

// What a target says of a discipline and a regime.
struct TargetScore {
  std::string name;
  Discipline discipline = Discipline::fit;
  GroupScore score, baseline;
  double target_median = 0, target_bound = 0, target_part = 0;
  bool met() const;
};

std::vector<TargetScore> target_scores(const Validation& validation);

// Scores of a discipline by system class (`by_class`) or of all together.
std::vector<GroupScore> group_scores(const Validation& validation, Discipline discipline,
                                     const SizeBand& band, Scored scored, bool by_class);

// Part of points inside their nominal 90 % interval; absent without points.
std::optional<double> coverage(const Validation& validation, Discipline discipline);

// The tables of a discipline, the largest error over all sizes first.
std::vector<const JudgedTable*> worst_first(const Validation& validation, Discipline discipline);

// The median; 0 of nothing.
double middle_error(std::vector<double> values);

// A part as reports print it: "12.3 %".
std::string percent(double part);

}  // namespace fabricast
