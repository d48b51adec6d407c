// JSON as a program without a JSON library leaves it: cut where it was killed, with `inf` and
// `nan`.
//
// The result is what a parser takes: closed after the last object of a list in the outermost object
// that is whole, the words replaced by null. It need not be valid JSON otherwise: the parser says.
// Pure function; linear in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct RepairedJson {
  std::string text;
  std::vector<std::int64_t> object_lines;  // of the objects in the outermost object's lists, from 1
  std::int64_t lines = 1;                  // of the file
  bool cut = false;
};

// Throws UsageError "file:line: ..." where a bracket closes nothing, or nesting is beyond reason.
RepairedJson repair_json(std::string_view text, const std::string& file);

}  // namespace fabricast
