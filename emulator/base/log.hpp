// Log lines go to stderr; stdout is for results. One process-wide verbosity.
//
// Only the process that is `log_rank` 0 prints info; warnings and errors print everywhere, with the
// rank in front when there is more than one.
#pragma once

#include <string_view>

namespace fabricast {

enum class Verbosity { quiet, normal, verbose };

void set_verbosity(Verbosity verbosity);
Verbosity verbosity();
void set_log_rank(int rank, int size);
int log_rank();

void log_info(std::string_view message);
void log_detail(std::string_view message);  // only with --verbose
void log_warning(std::string_view message);
void log_error(std::string_view message);

}  // namespace fabricast
