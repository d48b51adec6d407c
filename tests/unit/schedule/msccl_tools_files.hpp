// MSCCL XML in the shapes that msccl-tools' programs have: several thread blocks per peer pair,
// nops for further dependences, counts above one, scratch, instances on channels of their own.
// Written out for any number of ranks: test input.
#pragma once

#include <string>

namespace fabricast {

// In place, on `nodes` x `local` ranks: ring reduce-scatter inside a node, ring all-reduce across,
// ring all-gather inside; each a thread block with a channel, `instances` times. Both at least 2.
std::string tools_hierarchical_all_reduce(int nodes, int local, int instances);
// In place: everybody sends everything, then each thread block sums one chunk from scratch.
std::string tools_one_pass_all_reduce(int p, int instances);
// In place: a binary tree up and down, one thread block per edge and direction.
std::string tools_tree_all_reduce(int p, int chunks);
// Through a rank of the own node, which sends what a node has for its counterpart as one message.
std::string tools_two_step_all_to_all(int nodes, int local);
// In place, p a power of two: what is there is doubled, a thread block per distance.
std::string tools_doubling_all_gather(int p);

}  // namespace fabricast
