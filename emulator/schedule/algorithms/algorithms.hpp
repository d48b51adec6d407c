// One builder per algorithm: a rank space in, the affine schedule of one channel out.
//
// Each reads as the algorithm's textbook description. p positions; l per domain; N domains.
#pragma once

#include <cstdint>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// Ring over all positions (nccl.md 1.2). 2(p-1) steps for all_reduce, p-1 for the other two.
Schedule ring_all_reduce(const RankSpace& space);
Schedule ring_reduce_scatter(const RankSpace& space);
Schedule ring_all_gather(const RankSpace& space);

// Chain from position 0 along increasing positions, pipelined over `chunks` chunks.
Schedule chain_broadcast(const RankSpace& space, std::int32_t chunks);

// Reduce up and broadcast down one tree of the pair, pipelined over `chunks` chunks (nccl.md 1.3).
Schedule tree_all_reduce(const RankSpace& space, std::int32_t chunks, bool mirrored);

// Reduce-scatter inside each domain, ring all-reduce across domains on 1/l of the data, all-gather
// inside. Needs l >= 2 and N >= 2.
Schedule hierarchical_all_reduce(const RankSpace& space);
// All-gather across domains among equal local indices, then inside each domain.
Schedule hierarchical_all_gather(const RankSpace& space);

// p-1 rounds: send to x+k+1 while receiving from x-k-1; own block copied first.
Schedule pairwise_all_to_all(const RankSpace& space);

}  // namespace fabricast
