// One input of a fuzz target: it is parsed, or refused as the house refuses things.
//
// A refusal is UsageError, IoError or CheckError with one printable line that names the file. Any
// other exception, a broken contract, a sanitizer's report, a hang and too much memory are
// findings: they end the process. A target is one file with one function, see CONTRIBUTING.md.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "emulator/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fabricast {

// What the message of a refusal may hold: no control character, in no encoding of one.
inline bool is_printable_line(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    // U+0080 to U+009F: control characters too, terminals obey them.
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) return false;
  }
  return !text.empty();
}

[[noreturn]] inline void report_finding(const char* what, std::string_view text) {
  std::fprintf(stderr, "finding: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

// Runs parse(text, file); `file` is what a user would have named.
template <class Parse>
int parse_or_refuse(const std::uint8_t* data, std::size_t size, const std::string& file,
                    Parse parse) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    parse(text, file);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (error.code() == ExitCode::runtime) report_finding("wrong kind of error", message);
    if (!is_printable_line(message)) report_finding("message is no printable line", message);
    if (message.find(file) == message.npos) report_finding("message names no file", message);
    if (message.size() > 5000) report_finding("message is too long", message);
  }
  return 0;
}

}  // namespace fabricast
