// What was measured, for people and for programs: nccl-tests' columns, and JSON.
//
// Times are medians of the kept samples; count, root and redop mean what nccl-tests means by them.
// Lines that are not rows begin with '#', one block per (collective, algorithm, protocol). Pure
// functions.
#pragma once

#include <string>

#include "bench/harness/harness.hpp"

namespace fabricast {

// `op` is the reduction of the collectives that reduce ("sum").
std::string render_measurements(const MeasureReport& report, const std::string& op);
std::string measurements_json(const MeasureReport& report, const std::string& op);

}  // namespace fabricast
