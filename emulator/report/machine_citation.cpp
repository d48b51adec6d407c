#include "emulator/report/machine_citation.hpp"

#include <algorithm>
#include <cstddef>

namespace fabricast {
namespace {

struct Key {
  std::size_t indent = 0;
  std::string name;
  std::size_t line = 0;  // 0-based
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

// Quotes and escapes removed and white space folded, so that a text compares as YAML reads it.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') continue;
    const char folded = c == '\n' || c == '\t' ? ' ' : c;
    if (folded != ' ' || (!result.empty() && result.back() != ' ')) result += folded;
  }
  return trimmed(result);
}

// The value after "source:" on this line, with the lines a quoted text continues on.
std::string source_value(const std::vector<std::string>& lines, std::size_t line, std::size_t at) {
  std::string value = trimmed(std::string_view(lines[line]).substr(at));
  if (value.empty() || value[0] != '"') return plain(value.substr(0, value.find(" #")));
  std::size_t close = value.find('"', 1);
  while (close == std::string::npos && ++line < lines.size()) {
    value += " " + trimmed(lines[line]);
    close = value.find('"', 1);
  }
  return plain(value.substr(0, close));
}

// The block key of a line such as "  bandwidth: {value: ...": the first word before a colon.
bool block_key(const std::string& line, Key& key) {
  const std::size_t begin = line.find_first_not_of(" -");
  if (begin == std::string::npos || line[begin] == '#' || line[begin] == '{') return false;
  const std::size_t colon = line.find(':', begin);
  if (colon == std::string::npos) return false;
  key.indent = begin;
  key.name = trimmed(line.substr(begin, colon - begin));
  return key.name.find_first_of(" \"'{},") == std::string::npos;
}

std::string_view last_part(std::string_view dotted) {
  return dotted.substr(dotted.rfind('.') == std::string_view::npos ? 0 : dotted.rfind('.') + 1);
}

MachineCitation cite(const std::vector<std::string>& lines, const std::vector<Key>& keys,
                     std::size_t source_line) {
  MachineCitation citation;
  for (const Key& key : keys)
    citation.key_path += (citation.key_path.empty() ? "" : ".") + key.name;
  const std::size_t first = keys.empty() ? source_line : keys.back().line;
  citation.first_line = static_cast<int>(first) + 1;
  for (std::size_t i = first; i <= source_line; ++i) citation.excerpt.push_back(lines[i]);
  return citation;
}

}  // namespace

std::vector<MachineCitation> find_citations(std::string_view yaml, std::string_view parameter_id,
                                            std::string_view source) {
  const std::vector<std::string> lines = lines_of(yaml);
  const std::string wanted = plain(source);
  std::vector<MachineCitation> all, ending_alike;
  std::vector<Key> keys;
  for (std::size_t i = 0; i < lines.size() && !wanted.empty(); ++i) {
    Key key;
    const bool has_key = block_key(lines[i], key);
    key.line = i;
    if (has_key) {
      while (!keys.empty() && keys.back().indent >= key.indent) keys.pop_back();
      if (key.name != "source") keys.push_back(key);
    }
    const std::size_t at = lines[i].find("source:");
    if (at == std::string::npos || lines[i].find('#') < at) continue;
    const std::string text = source_value(lines, i, at + 7);
    if (text.empty() || wanted.find(text) == std::string::npos) continue;
    // Siblings of `source` (value, origin) are not part of the path.
    std::vector<Key> path = keys;
    const bool own_line = has_key && key.name == "source";
    while (!path.empty() && own_line && path.back().indent >= key.indent) path.pop_back();
    all.push_back(cite(lines, path, i));
    if (last_part(all.back().key_path) == last_part(parameter_id))
      ending_alike.push_back(all.back());
  }
  return ending_alike.empty() ? all : ending_alike;
}

}  // namespace fabricast
