#include "emulator/base/error.hpp"

#include <fmt/format.h>

namespace fabricast {
namespace {

constexpr std::size_t kept_at_each_end = max_message_bytes / 2 - 16;

// UTF-8 is not cut inside a character.
bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

std::string shortened(const std::string& text) {
  std::size_t head = kept_at_each_end, tail = text.size() - kept_at_each_end;
  while (head > 0 && continues_a_character(text[head])) --head;
  while (tail < text.size() && continues_a_character(text[tail])) ++tail;
  return text.substr(0, head) + " [...] " + text.substr(tail);
}

}  // namespace

std::string printable_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, in UTF-8 C2 80 to C2 9F, are control characters like those below U+0020.
    const bool upper = byte == 0xC2 && i + 1 < text.size() && continues_a_character(text[i + 1]) &&
                       static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte == '\n') {
      line += "\\n";
    } else if (byte == '\t') {
      line += "\\t";
    } else if (upper) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else if (byte < 0x20 || byte == 0x7F) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += text[i];
    }
  }
  return line.size() > max_message_bytes ? shortened(line) : line;
}

Error::Error(ExitCode code, std::string_view message)
    : std::runtime_error(printable_line(message)), code_(code) {}

}  // namespace fabricast
