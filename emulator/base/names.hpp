// Did-you-mean for the names a user types (machines, collectives, algorithms, keys).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fabricast {

// The candidate with the smallest edit distance (case-insensitive), if it is close enough to be a
// plausible typo (distance <= max(2, length/3)); empty otherwise.
std::string closest_name(std::string_view name, std::span<const std::string> candidates);

// `unknown WHAT "NAME" (did you mean "X"?) known: a, b, c`
std::string unknown_name_message(std::string_view what, std::string_view name,
                                 std::span<const std::string> candidates);

}  // namespace fabricast
