#include "emulator/schedule/tree.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fabricast {
namespace {

struct Triple {
  std::int32_t parent, low, high;
};

void expect_tree(std::int32_t n, bool mirrored, const std::vector<Triple>& expected) {
  for (std::int32_t r = 0; r < n; ++r) {
    const TreeNode node = binary_tree_node(n, r, mirrored);
    const Triple& want = expected[static_cast<std::size_t>(r)];
    EXPECT_EQ(node.parent, want.parent) << "n " << n << " node " << r << " mirrored " << mirrored;
    EXPECT_EQ(node.child_low, want.low) << "n " << n << " node " << r << " mirrored " << mirrored;
    EXPECT_EQ(node.child_high, want.high) << "n " << n << " node " << r << " mirrored " << mirrored;
  }
}

// Test vectors of NCCL's trees (parent, child 0, child 1).
TEST(Tree, MatchesNcclVectors) {
  expect_tree(2, false, {{-1, -1, 1}, {0, -1, -1}});
  expect_tree(2, true, {{1, -1, -1}, {-1, -1, 0}});
  expect_tree(3, false, {{-1, -1, 2}, {2, -1, -1}, {0, 1, -1}});
  expect_tree(3, true, {{1, 2, -1}, {-1, -1, 0}, {0, -1, -1}});
  expect_tree(4, false, {{-1, -1, 2}, {2, -1, -1}, {0, 1, 3}, {2, -1, -1}});
  expect_tree(4, true, {{1, -1, -1}, {3, 2, 0}, {1, -1, -1}, {-1, -1, 1}});
  expect_tree(5, false, {{-1, -1, 4}, {2, -1, -1}, {4, 1, 3}, {2, -1, -1}, {0, 2, -1}});
  expect_tree(5, true, {{1, 3, -1}, {-1, -1, 0}, {3, -1, -1}, {0, 2, 4}, {3, -1, -1}});
  expect_tree(8, false, {{-1, -1, 4}, {2, -1, -1}, {4, 1, 3}, {2, -1, -1}, {0, 2, 6}, {6, -1, -1},
                         {4, 5, 7}, {6, -1, -1}});
  expect_tree(8, true, {{1, -1, -1}, {3, 2, 0}, {1, -1, -1}, {7, 5, 1}, {5, -1, -1}, {3, 6, 4},
                        {5, -1, -1}, {-1, -1, 3}});
}

TEST(Tree, EveryEdgeIsSeenFromBothEndsAndReachesTheRoot) {
  for (const bool mirrored : {false, true}) {
    for (std::int32_t n = 1; n <= 140; ++n) {
      const RankSpace space{3, n};
      std::int32_t roots = 0;
      for (std::int32_t x = 0; x < space.size(); ++x) {
        const auto here = tree_position(space, x, mirrored);
        for (const std::int32_t child : {here.child_low, here.child_high, here.chain_child}) {
          if (child < 0) continue;
          ASSERT_EQ(tree_position(space, child, mirrored).parent, x);
        }
        roots += here.parent < 0 ? 1 : 0;
        std::int32_t depth = 0, up = x;
        while (up >= 0 && depth <= 20) {
          up = tree_position(space, up, mirrored).parent;
          ++depth;
        }
        ASSERT_LE(depth, 3 + 9);  // chain of 3, then ceil(log2 140) = 8 levels
      }
      ASSERT_EQ(roots, 1) << "n " << n;
    }
  }
}

TEST(Tree, LeavesOfOneTreeAreInnerNodesOfTheOther) {
  for (const std::int32_t n : {4, 8, 16, 140}) {
    for (std::int32_t r = 0; r < n; ++r) {
      const auto is_leaf = [&](bool mirrored) {
        const auto node = binary_tree_node(n, r, mirrored);
        return node.child_low < 0 && node.child_high < 0;
      };
      EXPECT_FALSE(is_leaf(false) && is_leaf(true)) << "n " << n << " r " << r;
    }
  }
}

}  // namespace
}  // namespace fabricast
