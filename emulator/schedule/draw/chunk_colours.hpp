// Colours of chunks: hues as far apart as their number allows, pale for incomplete sums.
#pragma once

#include <cstdint>
#include <string>

namespace fabricast {

// "#rrggbb" of colour `index` of `count`, mixed with white: strength 1 is the full colour.
std::string chunk_colour(std::int32_t index, std::int32_t count, double strength);

}  // namespace fabricast
