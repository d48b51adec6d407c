// /timeline and /steps as text: when the stages of a result run, and step by step what its ranks
// do.
//
// Times in microseconds after the launch. Lines that are not rows begin with '#'. Pure function,
// O(rows of the tables).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emulator/base/time_window.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

struct TimelineOptions {
  std::optional<std::int64_t> row;    // of /results; none: all
  std::vector<std::int32_t> classes;  // empty: all
  TimeWindow window;                  // stages and steps that overlap it
  bool steps = true;                  // show them where the trace has them
};

// Throws UsageError when the trace has no such row, or no timeline at all.
std::string render_timeline(const TraceContent& content, const TimelineOptions& options);

}  // namespace fabricast
