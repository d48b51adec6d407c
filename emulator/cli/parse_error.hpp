// What to tell a user whose command line the parser refused: which word it could not place, the
// name that was probably meant, and whose --help has the rest.
//
// Pure; the app is the one whose parse() has just thrown.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace fabricast {

std::string parse_error_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace fabricast
