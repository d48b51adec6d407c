// The double binary tree between domains, with a chain inside each domain, as bit rules.
//
// Tree 1 over domains 0..n-1 (nccl.md 1.3, same rule since NCCL 2.4), b = lowest set bit of r:
//   parent(r) = (r ^ b) | 2b, or r ^ b if that is >= n;   root 0
//   children(r) = r - b/2 and r + b/2 (the latter with b/2 halved until it is < n)
// Tree 2 mirrors it (domain n-1-r) when n is even and shifts it by one when n is odd, so that a
// leaf of one is an inner node of the other. Example, n = 8:
//
//   tree 1:        0                 tree 2:           7
//                  |                                   |
//                  4                                   3
//               /     \                             /     \          (drawn with children
//              2       6                           5       1          swapped by the mirror)
//             / \     / \                         / \     / \         .
//            1   3   5   7                       6   4   2   0
//
// Inside a domain positions form a chain: local 0 holds the tree edges, local i hangs below i-1.
// Pure functions, O(log n).
#pragma once

#include <cstdint>

#include "emulator/base/rank_space.hpp"

namespace fabricast {

struct TreeNode {
  std::int32_t parent = -1;
  std::int32_t child_low = -1;   // r - b/2
  std::int32_t child_high = -1;  // r + b/2; the root's only child
};

// Neighbours of domain r in tree 1 (mirrored = false) or tree 2.
TreeNode binary_tree_node(std::int32_t n, std::int32_t r, bool mirrored);

// Neighbours of a position; -1 where there is none.
struct TreePosition {
  std::int32_t parent = -1, child_low = -1, child_high = -1, chain_child = -1;
};
TreePosition tree_position(const RankSpace& space, std::int32_t x, bool mirrored);

// The tree along one digit, without a chain: every value of the others has its own.
TreePosition level_tree_position(const RankSpace& space, std::int32_t digit, std::int32_t x,
                                 bool mirrored);

}  // namespace fabricast
