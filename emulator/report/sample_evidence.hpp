// The samples behind a parameter or a measured row, as lines of text for render_why.
#pragma once

#include <cstdint>
#include <string>

#include "emulator/report/result_rows.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

// Conditions whose samples informed the parameter: micro-benchmarks that observe it directly, else
// the collectives of its executor that it was fitted with jointly.
std::string parameter_evidence(const TraceContent& content, const std::string& id,
                               const std::string& executor, std::int64_t samples);

// The conditions a measured row is the median of.
std::string measured_evidence(const TraceContent& content, const ResultRow& result);

}  // namespace fabricast
