// Finding the lines of a machine file that a parameter's prior was taken from.
//
// A machine file gives every number as {value, unit, origin, source}. A prior that came from there
// carries the same source text; of several numbers with one source, those whose key ends like the
// parameter's id are meant. Reads text, not YAML: it must show lines as they stand in the file.
// Pure functions, O(lines).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct MachineCitation {
  int first_line = 0;                // 1-based
  std::string key_path;              // "interconnect.bandwidth"
  std::vector<std::string> excerpt;  // the block from its key to its source
};

std::vector<MachineCitation> find_citations(std::string_view yaml, std::string_view parameter_id,
                                            std::string_view source);

}  // namespace fabricast
