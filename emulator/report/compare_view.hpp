// A comparison as text for people, as JSON and as CSV for programs.
//
// Text: warnings, then rows worst first, then what the noise allows, then one line with the
// verdict. Lines that are not rows begin with '#', except the last. JSON and CSV hold every row. A
// change is in percent of the base's time, positive when slower. Pure functions.
#pragma once

#include <string>

#include "emulator/report/compare.hpp"

namespace fabricast {

// Without `all` only rows that changed, are missing or cannot be judged; the rest is counted.
std::string render_comparison(const Comparison& comparison, bool all);

std::string render_comparison_json(const Comparison& comparison);
std::string render_comparison_csv(const Comparison& comparison);

}  // namespace fabricast
