// Checks of option values that CLI11 does not have.
#pragma once

#include <CLI/CLI.hpp>

namespace fabricast {

// A number from low to high. CLI::Range lets nan through, because nan is neither below nor above.
CLI::Validator number_between(double low, double high);

// Numbers are decimal everywhere: CLI11 reads 010 as octal (8) and 0x10 as 16. Adds a check to every
// numeric option of the command and of its subcommands. To be called when all options exist.
void expect_decimal_numbers(CLI::App& command);

// --help shows the value that an option has when it is not given; not where that is no value (an
// empty list, -1, a 0 that could not be given) or where the option's text says it in words.
void hide_empty_defaults(CLI::App& command);

}  // namespace fabricast
