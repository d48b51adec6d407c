#include "emulator/schedule/tree.hpp"

#include <bit>

namespace fabricast {
namespace {

TreeNode first_tree_node(std::int32_t n, std::int32_t r) {
  TreeNode node;
  if (r == 0) {
    if (n > 1)
      node.child_high = static_cast<std::int32_t>(std::bit_ceil(static_cast<unsigned>(n)) / 2);
    return node;
  }
  const std::int32_t bit = r & -r;
  const std::int32_t up = (r ^ bit) | (bit << 1);
  node.parent = up < n ? up : r ^ bit;
  std::int32_t half = bit / 2;
  if (half > 0) node.child_low = r - half;
  while (half > 0 && r + half >= n) half /= 2;
  if (half > 0) node.child_high = r + half;
  return node;
}

}  // namespace

TreeNode binary_tree_node(std::int32_t n, std::int32_t r, bool mirrored) {
  if (!mirrored) return first_tree_node(n, r);
  const bool even = n % 2 == 0;
  const auto into = [&](std::int32_t v) { return even ? n - 1 - v : (v - 1 + n) % n; };
  const auto back = [&](std::int32_t v) { return v < 0 ? -1 : even ? n - 1 - v : (v + 1) % n; };
  const TreeNode node = first_tree_node(n, into(r));
  return {back(node.parent), back(node.child_low), back(node.child_high)};
}

TreePosition tree_position(const RankSpace& space, std::int32_t x, bool mirrored) {
  const std::int32_t l = space.domain_size();
  const std::int32_t local = x % l;
  TreePosition position;
  if (local + 1 < l) position.chain_child = x + 1;
  if (local > 0) {
    position.parent = x - 1;
    return position;
  }
  const TreeNode node = binary_tree_node(space.domains(), x / l, mirrored);
  const auto head = [l](std::int32_t domain) { return domain < 0 ? -1 : domain * l; };
  position.parent = head(node.parent);
  position.child_low = head(node.child_low);
  position.child_high = head(node.child_high);
  return position;
}

TreePosition level_tree_position(const RankSpace& space, std::int32_t digit, std::int32_t x,
                                 bool mirrored) {
  const std::int32_t at = space.digit_of(x, digit), weight = space.weight(digit);
  const TreeNode node = binary_tree_node(space.radix(digit), at, mirrored);
  const auto equal = [&](std::int32_t other) { return other < 0 ? -1 : x + (other - at) * weight; };
  return {equal(node.parent), equal(node.child_low), equal(node.child_high), -1};
}

}  // namespace fabricast
