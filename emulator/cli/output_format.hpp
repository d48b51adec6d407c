// Small pieces of output that several subcommands print.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/parameter.hpp"

namespace fabricast {

// Posterior against prior, one line per parameter, with identifiability and origin.
std::string render_profile(const CalibrationProfile& profile);

// "held out 12 points: median |ln(pred/meas)| 3.1 %, worst 9.8 % (all_reduce ring 1 MiB); 11 of 12
// inside the 90 % interval", or why there is none.
std::string render_holdout(const CalibrationProfile& profile);

// Says on stderr that a fit is useless: its own kind of points are missed by more than a factor
// of 2.
void warn_of_useless_fit(const CalibrationProfile& profile);

// The held-out points by collective, algorithm and ranks: median, 95th percentile and largest
// error.
std::string render_errors(const CalibrationProfile& profile);

// argv of this process from /proc, quoted; "fabricast" where there is no /proc.
std::string this_command_line();

}  // namespace fabricast
