// The rows of a trace that compare can pair, by what was run or predicted rather than by place.
//
// A measured row is a condition of /sample_conditions with its kept samples; equal conditions in
// one trace are runs of the same thing and stay apart. A predicted row is a row of /results; where
// its run left the choice open (/config: no protocol named, the machine's channels, the library's
// own algorithm), the row is that question, whatever was taken. Pure functions, O((rows + samples)
// log rows). Throws CheckError when columns are missing.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

// What makes two rows the same question. Samples of files written before the column, and of logs
// without it, do not say which reduction ran (redop is empty); predictions have no buffers
// (in_place is false). `engine` is "flow" where messages shared links as they came and went, which
// is another question than static shares (empty); `job` is the name of the job of `emulate --jobs`
// that the row is.
struct RowKey {
  std::string machine, executor, collective, algorithm, protocol;
  std::int64_t channels = 0, ranks = 0, bytes = 0;
  std::string dtype, redop;
  std::string engine{}, job{};
  bool in_place = false;
  bool measured = false;

  auto operator<=>(const RowKey&) const = default;
};

// What was taken where the question left it open.
struct TakenChoice {
  std::string algorithm, protocol;
  std::int64_t channels = 0;

  bool operator==(const TakenChoice&) const = default;
};

struct TraceRow {
  TakenChoice taken;                      // predicted
  std::vector<std::vector<double>> runs;  // measured: kept samples of each run, us
  bool of_logs = false;                   // imported: every sample is a mean, as a log has it
  std::vector<double> times_us;           // predicted: one time, more if the key is not unique
  std::int64_t result = -1;               // predicted: the first row of /results
};

struct TraceRows {
  std::map<RowKey, TraceRow> rows;
  // Measured rows of /results without samples, conditions of micro-benchmarks: left out, counted.
  std::size_t measured_without_samples = 0;
  std::size_t micro_benchmarks = 0;
};

TraceRows comparable_rows(const TraceContent& content);

// Has it measured rows whose reduction is not known?
bool lacks_reductions(const TraceRows& rows);
// Measured rows without their reductions, to be paired with such; rows of which the trace has
// several reductions keep theirs.
void drop_reductions(TraceRows& rows);

// Where two questions differ: "machine (here, there), channels (8, 16)". Empty: nowhere.
std::vector<std::string> differences(const RowKey& a, const RowKey& b);

}  // namespace fabricast
