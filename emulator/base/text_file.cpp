#include "emulator/base/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// Length of the UTF-8 sequence at the start of `text`; 0 if it is none (truncated, overlong, a
// surrogate, beyond U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) {
    length = 2, code = byte(0) & 0x1Fu;
  } else if (byte(0) >= 0xE0 && byte(0) <= 0xEF) {
    length = 3, code = byte(0) & 0x0Fu;
  } else if (byte(0) >= 0xF0 && byte(0) <= 0xF4) {
    length = 4, code = byte(0) & 0x07u;
  }
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

}  // namespace

void require_text(std::string_view text, const std::string& file) {
  int line = 1, column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (text[i] == '\0' || length == 0) {
      throw UsageError(fmt::format("{}:{}:{}: not a text file ({} at byte {}); give a UTF-8 file",
                                   file, line, column,
                                   text[i] == '\0' ? "a NUL byte" : "invalid UTF-8", i));
    }
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
    i += length;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw UsageError(fmt::format("{}:1:1: the file is empty; write its content first", file));
  }
}

std::string read_text_file(const std::string& file, std::int64_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    const bool hidden = error && error != std::errc::no_such_file_or_directory;
    throw IoError(fmt::format("cannot read {} ({}); check the path", file,
                              hidden ? error.message() : "no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw IoError(fmt::format("cannot read {} (not a regular file); give a file", file));
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  // One byte more than allowed tells "too large" from "just fits", whatever stat() says. Piece by
  // piece, because most files are far smaller than what is allowed.
  std::string text;
  const auto most = static_cast<std::size_t>(max_bytes) + 1;
  while (in && text.size() < most) {
    const std::size_t had = text.size();
    text.resize(std::min(most, std::max<std::size_t>(2 * had, 1 << 16)));
    in.read(text.data() + had, static_cast<std::streamsize>(text.size() - had));
    text.resize(had + static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) {
    throw IoError(fmt::format("cannot read {} ({}); check its permissions", file,
                              std::strerror(errno == 0 ? EIO : errno)));
  }
  if (text.size() == most) {
    throw IoError(
        fmt::format("{} is larger than {} bytes; this is no file a person wrote", file, max_bytes));
  }
  text.shrink_to_fit();
  return text;
}

}  // namespace fabricast
