// The rows of /results as plain structs, chosen and ordered for people.
//
// Everything that report shows comes from a TraceContent, usually read back from a file, and from
// nothing else. Pure functions, O(rows log rows). Throws CheckError when columns are missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

struct ResultRow {
  std::int64_t row = 0;  // of /results
  std::string machine, executor, collective, algorithm, protocol, dtype, redop;
  std::string interval, label, limiting_term, engine;
  std::int64_t channels = 0, ranks = 0, bytes = 0, time_ps = 0;
  double time_us = 0, algbw_gbps = 0, busbw_gbps = 0, low_us = 0, high_us = 0;
  double evidence_ranks_ratio = 0, evidence_bytes_ratio = 0, measured_share = 0, bound_us = 0;

  bool measured() const { return engine == "measured"; }
};

// Empty strings mean "all". A name that the trace does not hold throws UsageError with a
// did-you-mean.
struct ResultFilter {
  std::string collective, machine, algorithm;
};

// In the order of the file.
std::vector<ResultRow> result_rows(const TraceContent& content, const ResultFilter& filter = {});

// Per machine, executor, collective, ranks and size the fastest predicted row; measured rows are
// left out unless a group has nothing else.
std::vector<ResultRow> fastest_rows(const std::vector<ResultRow>& rows);

// Root as nccl-tests prints it, and the elements it counts: of one rank's block for all-gather,
// reduce-scatter and all-to-all, of the whole buffer otherwise.
int root_of(const ResultRow& row);
std::int64_t count_of(const ResultRow& row);
// Of nccl-tests' names and ours; 1 for a name that says nothing.
std::int64_t bytes_per_element(std::string_view dtype);
// nccl-tests' name of an element type: "float" for "float32", "half" for "float16" ...
std::string type_name(std::string_view dtype);

// "8 B", "1 KiB", "1.5 MiB", "16 GiB".
std::string size_text(std::int64_t bytes);

}  // namespace fabricast
