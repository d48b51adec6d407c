// The message sizes of a sweep, as nccl-tests counts them.
//
// nccl-tests steps min, min*factor, ... (or min + increment) up to max and then rounds each size
// down to what the collective can carry (coordinator/effective_bytes.hpp). Pure functions.
#pragma once

#include <cstdint>
#include <vector>

namespace fabricast {

// Sizes min, min*factor, min*factor^2 ... <= max. Throws UsageError for min < 1, min > max, a
// factor that is not above 1 while min < max, or more than 10,000 sizes.
std::vector<std::int64_t> sweep_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                      double factor);

// Sizes min, min+increment ... <= max (nccl-tests -i). Throws UsageError likewise.
std::vector<std::int64_t> linear_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                       std::int64_t increment);

}  // namespace fabricast
