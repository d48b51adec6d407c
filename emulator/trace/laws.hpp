// What the numbers of a valid trace obey, whatever produced them: references, ranges, physics.
//
// Each law is one sentence of docs/trace-format.md ("Laws"). A law is skipped where its columns are
// missing, because the schema check already says so. Pure function, O(rows).
#pragma once

#include <vector>

#include "emulator/trace/table.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

// At most one problem per law and table: the first row that breaks it.
std::vector<TraceProblem> law_problems(const TraceContent& content);

}  // namespace fabricast
