// Checks of option values that CLI11 does not have.
#pragma once

#include <CLI/CLI.hpp>

namespace fabricast {

// A number from low to high. CLI::Range lets nan through, because nan is neither below nor above.
CLI::Validator number_between(double low, double high);

}  // namespace fabricast
