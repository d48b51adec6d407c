// /steps and /step_coverage: the steps of a result as rows, and what of them was left out.
//
// Pure but for the tables they fill. O(rows).
#pragma once

#include <cstdint>
#include <string>

#include "emulator/sim/step_trace.hpp"
#include "emulator/trace/table_rows.hpp"

namespace fabricast {

void add_steps(std::int64_t result, const StepTrace& trace, TableRows& steps, TableRows& coverage);

// What people should know of a trace with /step_coverage; empty when all that was asked for is
// there.
std::string note_on_steps(const TraceContent& content);

}  // namespace fabricast
