// The message sizes of a sweep, as nccl-tests counts them.
//
// nccl-tests steps min, min*factor, ... (or min + increment) up to max and then rounds each size
// down to what the collective can carry; the *rounded* size is what runs, what is printed and what
// is recorded. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/schedule/collective.hpp"

namespace fabricast {

// Sizes min, min*factor, min*factor^2 ... <= max. Throws UsageError for min < 1, min > max, a
// factor that is not above 1 while min < max, or more than 10,000 sizes.
std::vector<std::int64_t> sweep_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                      double factor);

// Sizes min, min+increment ... <= max (nccl-tests -i). Throws UsageError likewise.
std::vector<std::int64_t> linear_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                       std::int64_t increment);

// What runs when `bytes` are asked for. all_reduce, broadcast, reduce, send_recv: whole elements.
// all_gather, reduce_scatter, all_to_all, gather, scatter: `ranks` equal blocks, each a multiple of
// 16 bytes (nccl-tests keeps every rank's buffer 16-byte aligned so). May be 0: then there is
// nothing to run.
std::int64_t effective_bytes(Collective collective, std::int64_t bytes, std::int32_t ranks,
                             std::int32_t element_bytes);

}  // namespace fabricast
