// Compares a new trace with one base or several: which rows got slower, beyond noise and beyond a
// threshold? docs/comparing.md defines the rule in words.
//
// Fails closed: nothing to compare, a row that the new trace lacks, or a row that cannot be judged
// (no kept samples, too few, not positive, not a number) makes the comparison not ok. Pure
// functions of traces in memory; deterministic. Throws UsageError for options out of range,
// CheckError when columns are missing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "emulator/report/compare_rows.hpp"

namespace fabricast {

struct CompareOptions {
  double threshold = 0.05;          // a change of the time by less than this part is none
  double alpha = 0.01;              // chance that a comparison of equals raises any alarm
  std::optional<double> run_noise;  // instead of assumed_noise: of all rows and of each row
  bool allow_missing = false;       // rows of the bases may be absent from the new trace
};

// Fewer kept samples than this say nothing of the error of their median. A log's row is one sample,
// a mean; it is judged where `run_noise` says how much such means vary.
inline constexpr std::size_t min_samples = 5;

enum class Outcome : std::uint8_t { slower, unjudged, missing, faster, same, added };
std::string_view to_string(Outcome outcome);

// A parameter of /profile with another value, and what it does to a row.
struct ParameterChange {
  std::string id, machine, executor, unit;
  double base = 0, fresh = 0;  // values
  double noise_ln = 0;         // of ln(fresh / base), from the samples behind both
  std::string base_source, source;
};

struct Explanation {
  std::size_t parameter = 0;  // index of Comparison::parameters
  double share = 0;           // of the critical path, in the new trace
  double effect_ln = 0;       // share x |ln(fresh / base)|
};

struct ComparedRow {
  RowKey key;
  Outcome outcome = Outcome::same;
  double base_us = 0, new_us = 0;  // base: median of the bases' medians; 0: none
  double change_ln = 0, noise_ln = 0, detectable_ln = 0;
  double p = 1;              // measured rows: corrected, of the direction of the change
  std::size_t bases = 0;     // runs it was compared with
  std::string reason;        // why unjudged
  std::string other_choice;  // what the base took, where that was open and differs
  std::vector<Explanation> explanations;  // predicted rows that changed; largest effect first
};

// What all rows of a machine and executor did together.
struct ComparedGroup {
  std::string machine, executor;
  std::size_t rows = 0, bases = 0;
  double change_ln = 0, noise_ln = 0, detectable_ln = 0;
  double row_detectable_ln = 0;  // of the median row
  bool assumed = false;          // the noise between runs is assumed: one base
};

struct Comparison {
  CompareOptions options;
  std::size_t bases = 0;
  std::vector<ComparedRow> rows;  // worst first
  std::vector<ComparedGroup> groups;
  std::vector<ParameterChange> parameters;
  std::vector<std::string> warnings;
  bool ok = false;
  std::string verdict;  // one sentence

  std::size_t count(Outcome outcome) const;
};

// `bases` holds at least one trace; a prediction is compared with the last of them.
Comparison compare_traces(std::span<const TraceContent> bases, const TraceContent& fresh,
                          const CompareOptions& options);

}  // namespace fabricast
