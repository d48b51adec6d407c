// A validation as text, CSV, JSON and one self-contained HTML page. Errors print in percent of
// ln(predicted / measured): 10 % is a factor of 1.105.
#pragma once

#include <string>

#include "emulator/validate/disciplines.hpp"

namespace fabricast {

// Targets, classes, the worst tables first (`all_tables`: every one), what was skipped and why.
std::string render_validation_text(const Validation& validation, bool all_tables);
// One line per judged point.
std::string render_validation_csv(const Validation& validation);
std::string render_validation_json(const Validation& validation);
// Pages need nothing else: style and pictures are inside.
std::string render_validation_html(const Validation& validation);
// docs/accuracy.md.
std::string render_validation_markdown(const Validation& validation);

}  // namespace fabricast
