// Which elements a message carries: the split of the user's buffers over channels, loops, chunks
// and slices. Executors use it on real data; its largest part is what engines charge.
//
// even_split(total, parts, i) gives the first total % parts parts one element more. Parts may be
// empty. Where buffers have no rank blocks (has_rank_blocks) the whole message is split over
// channels, then loops, then chunks, then slices. Otherwise each rank-sized block is split over
// channels, loops, the schedule's block_parts and slices, and the chunk selects the block (of the
// chunk's owner) and the part.
#pragma once

#include <cstdint>

#include "emulator/schedule/plan.hpp"

namespace fabricast {

struct ElementRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

ElementRange even_split(std::int64_t total, std::int64_t parts, std::int64_t index);

// Elements of each user buffer (of one rank) for a plan of `bytes`:
// all_reduce, broadcast, reduce, send_recv: n and n; all_gather, gather: n/p and n; reduce_scatter,
// scatter: n and n/p; all_to_all: n and n, where n is bytes / element_bytes rounded down to a multiple of p where blocks are equal.
struct BufferSizes {
  std::int64_t input = 0;
  std::int64_t output = 0;
};
BufferSizes buffer_sizes(const ExecutionPlan& plan);

// The elements of chunk `chunk` in the *whole-message* numbering, for one channel, loop and slice.
// For all_gather and reduce_scatter the short side (n/p elements) holds only the rank's own block:
// subtract block_begin(own rank) = rank * n/p. For all_to_all, as sender the block is chunk owner's
// (destination) rank; as receiver it is the source's.
ElementRange message_elements(const ExecutionPlan& plan, std::int32_t channel, std::int32_t loop,
                              std::int32_t chunk, std::int32_t slice);

}  // namespace fabricast
