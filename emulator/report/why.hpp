// One result explained: row -> critical path -> parameters -> priors, samples and citations.
//
// Everything shown stands in the trace; a link that is missing there is said to be missing. Pure
// function, O(rows of the tables it touches).
#pragma once

#include <cstdint>
#include <string>

#include "emulator/trace/table.hpp"

namespace fabricast {

// `row` counts /results from 0. Throws UsageError when there is no such row.
std::string render_why(const TraceContent& content, std::int64_t row);

}  // namespace fabricast
