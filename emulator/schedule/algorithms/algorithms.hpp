// One builder per algorithm: a rank space in, the affine schedule of one channel out.
//
// Each reads as the algorithm's textbook description. p positions; l per domain; N domains. The
// table that names them and says what they need is catalogue.hpp.
#pragma once

#include <cstdint>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// Ring over all positions (nccl.md 1.2). 2(p-1) steps for all_reduce, p-1 for the other two.
Schedule ring_all_reduce(const RankSpace& space);
Schedule ring_reduce_scatter(const RankSpace& space);
Schedule ring_all_gather(const RankSpace& space);

// Chain from position 0 along increasing positions, pipelined over `chunks` chunks; and the chain
// 1, 2, ..., p-1, 0 that reduces towards position 0.
Schedule chain_broadcast(const RankSpace& space, std::int32_t chunks);
Schedule chain_reduce(const RankSpace& space, std::int32_t chunks);

// Reduce up and broadcast down one tree of the pair, pipelined over `chunks` chunks (nccl.md 1.3).
Schedule tree_all_reduce(const RankSpace& space, std::int32_t chunks, bool mirrored);

// Reduce-scatter inside each domain, ring all-reduce across domains on 1/l of the data, all-gather
// inside. Needs l >= 2 and N >= 2.
Schedule hierarchical_all_reduce(const RankSpace& space);
// The same with a double binary tree across domains instead of the ring, one per member, through
// which the member's block goes in `pieces`. log N hops instead of N; each part crosses twice. The
// schedule's positions are Placement::transposed.
Schedule hierarchical_tree_all_reduce(const RankSpace& ranks, std::int32_t pieces, bool mirrored);
// All-gather across domains among equal local indices, then inside each domain.
Schedule hierarchical_all_gather(const RankSpace& space);
// Reduce-scatter inside each domain, then across domains among equal local indices.
Schedule hierarchical_reduce_scatter(const RankSpace& space);

// Recursive halving, then doubling (Rabenseifner; Thakur, Rabenseifner, Gropp, IJHPCA 2005):
// 2 log2 q rounds with q the largest power of two <= p. The p - q others fold in: they hand their
// input to x - q first and get the result from there.
Schedule halving_doubling_all_reduce(const RankSpace& space);
// Recursive doubling: log2 q rounds of the whole message, with the same fold-in.
Schedule doubling_all_reduce(const RankSpace& space);

// Parallel aggregated trees (nccl.md 1.6): log2 p rounds, farthest distance first for all_gather,
// nearest first for reduce_scatter; p - 1 blocks moved in all, whatever p is.
Schedule pat_all_gather(const RankSpace& space);
Schedule pat_reduce_scatter(const RankSpace& space);

// Through a switch that multicasts and reduces (nccl.md 1.5); across domains rings among equal
// local indices. Needs l >= 2.
Schedule in_switch_all_reduce(const RankSpace& space);
Schedule in_switch_all_gather(const RankSpace& space);
Schedule in_switch_reduce_scatter(const RankSpace& space);

// Inside one domain of two or more, from memory to memory, as NCCL's kernels for symmetric windows
// and the one- and two-shot kernels of inference engines do (nccl.md 1.7). One shot: everyone sends
// everything to all and adds up what it gets, each in its own order, so that sums of floats may
// differ between ranks in their last bits (kernels can add in the order of ranks). Two shots:
// reduce-scatter, then all-gather. The other two are one half each.
Schedule one_shot_all_reduce(const RankSpace& space);
Schedule two_shot_all_reduce(const RankSpace& space);
Schedule direct_all_gather(const RankSpace& space);
Schedule direct_reduce_scatter(const RankSpace& space);

// NVLS inside domains, and between them double binary trees among equal local indices, one per
// member (nccl.md 1.5, NVLSTree). Needs l >= 2 and N >= 2.
// The schedule's positions are Placement::transposed.
Schedule in_switch_tree_all_reduce(const RankSpace& ranks, bool mirrored);

// Through switches of the network between domains, which add up what one head of every domain
// sends (CollNet over SHARP; nccl.md 1.1, 2.4). Needs N >= 2. The members of a domain hand their
// parts to each other directly, every one the head of its part; or along a chain to the head at its
// end; or through the domain's own switch (l >= 2).
Schedule direct_in_network_all_reduce(const RankSpace& space);
Schedule chain_in_network_all_reduce(const RankSpace& space);
Schedule switch_in_network_all_reduce(const RankSpace& space);

// p-1 rounds: send to x+k+1 while receiving from x-k-1; own block copied first.
Schedule pairwise_all_to_all(const RankSpace& space);
// The same exchange in NCCL's order of rounds (nccl.md 1.8): groups of gcd(8, l) ranks at distances
// 0, 1, 3, 6, 10 ..., inside them all local shifts.
Schedule grouped_all_to_all(const RankSpace& space);

// Point to point: to the next position; all to the root, in turn; from the root, in turn.
Schedule direct_send_recv(const RankSpace& space);
Schedule direct_gather(const RankSpace& space);
Schedule direct_scatter(const RankSpace& space);

}  // namespace fabricast
