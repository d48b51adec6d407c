// /results as text: nccl-tests' columns, followed by what an estimate needs.
//
// Columns and rules of size, count, type, redop, root, time, algbw, busbw are those of nccl-tests
// (doc/PERFORMANCE.md, src/common.cu): sizes in B, time in us, GB/s of 1e9 B/s. Lines that are not
// rows begin with '#'. Pure function.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "emulator/report/result_rows.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

struct TableOptions {
  ResultFilter filter;
  bool best = false;  // only the fastest algorithm per size
};

// The rows of /results that the table has: what stands below it is of these.
std::set<std::int64_t> shown_rows(const TraceContent& content, const TableOptions& options);

// "slow nic=0:x2": what of the machine was changed for all rows; empty: nothing.
std::string what_if_of(const TraceContent& content);
// "# what-if: slow nic=0:x2"; empty: nothing.
std::string what_if_line(const TraceContent& content);

std::string render_table(const TraceContent& content, const TableOptions& options);

}  // namespace fabricast
