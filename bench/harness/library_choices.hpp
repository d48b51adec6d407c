// What a library that chooses by itself said about each condition of a sweep, into its environment.
//
// One entry "library_choice COLLECTIVE BYTES" per condition that was observed; pure, O(conditions).
#pragma once

#include "bench/harness/harness.hpp"

namespace fabricast {

void describe_choices(MeasureReport& report);

}  // namespace fabricast
