// Lists of names as users type them: "all_reduce,all_gather", or "all".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/schedule/collective.hpp"

namespace fabricast {

// Splits at commas; empty items are dropped. No item at all is a UsageError that names the option:
// an empty list must not come to mean "all".
std::vector<std::string> names_option(const char* option, const std::string& text);

// The list given as -c; "all" is every collective. Throws UsageError with a did-you-mean.
std::vector<Collective> collectives_from_list(const std::string& text);

// A message size given as `option`; a bad one is a UsageError that names the option.
std::int64_t size_option(const char* option, const std::string& text);

}  // namespace fabricast
