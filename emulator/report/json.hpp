// /results as JSON for programs: an object with the trace's attributes and one object per row.
#pragma once

#include <string>

#include "emulator/report/table_view.hpp"
#include "emulator/trace/table.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

std::string render_json(const TraceContent& content, const TableOptions& options);

// {"ok": bool, "problems": [{"where", "what"}]}
std::string render_json(const std::vector<TraceProblem>& problems);

}  // namespace fabricast
