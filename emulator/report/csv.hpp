// A table of a trace as CSV after RFC 4180: a header line, CRLF, quotes where needed.
//
// /results has a last column "what_if" where the machine was changed: the same text in every row.
// Codes become their meanings; reals print with the fewest digits that read back exactly.
#pragma once

#include <string>
#include <string_view>

#include "emulator/trace/table.hpp"

namespace fabricast {

// A field as RFC 4180 wants it: quoted when it holds a comma, a quote or the end of a line.
std::string csv_quoted(const std::string& text);

// `table_path` with or without the leading '/'. Throws UsageError when the trace has no such table.
std::string render_csv(const TraceContent& content, std::string_view table_path);

}  // namespace fabricast
