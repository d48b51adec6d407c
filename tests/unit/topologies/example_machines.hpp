// Small machine files for the tests, with one place to change a line.
#pragma once

#include <string>
#include <string_view>

namespace fabricast {

// `text` with the first occurrence of `from` replaced; fails the program when there is none, so
// that a test cannot silently test the unchanged text.
std::string replaced(std::string text, std::string_view from, std::string_view to);

// One box of `gpus` GPUs (several: NVLink).
std::string node_yaml(int gpus);

struct TreeShape {
  int domains = 8, gpus = 4, nics = 4, rails = 4, tiers = 2, radix = 8;
  double oversubscription = 1, core_oversubscription = 1;
};

// `shape.domains` boxes under a rail fat tree of 50 GB/s NICs, 2.8 us and 0.45 us per hop.
std::string tree_yaml(const TreeShape& shape);

}  // namespace fabricast
