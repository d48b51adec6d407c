// The document behind strict_yaml.hpp: a plain tree with positions, built from parser events.
//
// Built from events rather than from yaml-cpp's own nodes because those silently drop duplicate
// keys and share aliased nodes. Private to emulator/base. Invariants: a map has one key per child,
// keys are unique and not empty; other kinds have no keys. Thread safety: none (`asked` is written
// by readers). Complexity: linear in the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct YamlKey {
  std::string name;
  int line = 0, column = 0;
  std::string from = "";  // of a patch: who brought it; empty: the file
};

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 0, column = 0;  // from 1
  std::string from;          // of a patch: who brought it; empty: the file
  std::string value;         // of a scalar
  std::vector<YamlKey> keys;
  std::vector<std::unique_ptr<YamlNode>> children;
  mutable std::vector<std::string> asked;  // keys a reader has looked for here
  mutable bool skipped = false;            // nothing below is an unknown key
};

// "a mapping", "a list", ... for messages.
std::string_view to_string(YamlNode::Kind kind);

// Parses one document. Throws UsageError "file:line:col: key.path: problem".
std::unique_ptr<YamlNode> parse_yaml_tree(std::string_view text, const std::string& file);

// Throws UsageError "file:line:col: path: problem" (no path when it is empty).
[[noreturn]] void fail_at(const std::string& file, int line, int column, const std::string& path,
                          const std::string& problem);

}  // namespace fabricast
