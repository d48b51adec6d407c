// Samples of suites as one page of markdown: conditions, statistics, clocks, what was discarded.
//
// Statistics are those of nccl-tests' grade: p50, p95, p99, standard deviation and its ratio to the
// mean (cv) of the kept samples. Rates are bytes read and written, or operations, over p50. Pure
// functions of the set, so that a stored file gives the same page as the run that made it.
#pragma once

#include <string>

#include "emulator/profile/sample.hpp"

namespace fabricast {

std::string suite_summary(const SampleSet& samples);

}  // namespace fabricast
