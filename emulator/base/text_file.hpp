// Reading the text files that people write or other programs emit (YAML, XML), as a whole.
//
// Thread safety: pure functions. Complexity: linear in the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fabricast {

// The whole of a regular file of at most `max_bytes`. IoError when it cannot be read.
std::string read_text_file(const std::string& file, std::int64_t max_bytes = 16 << 20);

// Throws UsageError "file:line:col: problem" unless `text` is UTF-8 without NUL bytes and holds
// something other than white space.
void require_text(std::string_view text, const std::string& file);

}  // namespace fabricast
