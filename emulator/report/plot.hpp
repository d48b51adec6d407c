// busbw against size as one SVG: a row of panels per machine, a column per collective.
//
// Log-log. Lines are predictions (per size the fastest protocol of each algorithm) with their
// interval as a band, circles are measurements with theirs as a bar, the dashed line is the
// bandwidth bound. Sizes in B, busbw in GB/s of 1e9 B/s. Pure function.
#pragma once

#include <string>

#include "emulator/report/result_rows.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

struct PlotOptions {
  ResultFilter filter;
  int width = 1400;  // px, at least 600
};

// Throws CheckError when no row can be drawn.
std::string render_busbw_svg(const TraceContent& content, const PlotOptions& options);

}  // namespace fabricast
