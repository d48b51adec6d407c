// What runs, and what is predicted, when a size is asked for: nccl-tests' rounding.
//
// nccl-tests rounds each size down to what the collective can carry (docs/measuring.md); the
// rounded size is what is printed and recorded. Measured and predicted rows go through this one
// function, so that they can be laid side by side. Pure function.
#pragma once

#include <cstdint>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// all_reduce, broadcast: whole elements. all_gather, reduce_scatter, all_to_all: `ranks` equal
// blocks, each a multiple of 16 bytes (nccl-tests keeps every rank's buffer 16-byte aligned so).
// May be 0: then there is nothing to run.
std::int64_t effective_bytes(Collective collective, std::int64_t bytes, std::int32_t ranks,
                             std::int32_t element_bytes);

// Of a file's schedule: rounded down further to a whole number of equal chunks where it needs them
// (Schedule::moves_chunks), so that it runs.
std::int64_t effective_bytes(const Schedule& schedule, std::int64_t bytes,
                             std::int32_t element_bytes);

}  // namespace fabricast
