#include "emulator/schedule/algorithms/level_tree.hpp"

#include <set>
#include <tuple>
#include <utility>

#include "emulator/schedule/algorithms/stage_builder.hpp"
#include "emulator/schedule/tree.hpp"

namespace fabricast {

using TreeEdge = PeerMap::TreeEdge;

std::vector<LevelTreePhases> LevelTreePhases::of_all_shapes(std::int32_t domains, bool mirrored) {
  std::set<std::tuple<bool, bool, bool>> shapes;
  for (std::int32_t domain = 0; domain < domains; ++domain) {
    const TreeNode node = binary_tree_node(domains, domain, mirrored);
    shapes.insert({node.parent >= 0, node.child_low >= 0, node.child_high >= 0});
  }
  std::vector<LevelTreePhases> all;
  for (const auto& [parent, low, high] : shapes) {
    all.push_back(LevelTreePhases(parent, low, high, mirrored));
  }
  return all;
}

LevelTreePhases::LevelTreePhases(bool parent, bool low, bool high, bool mirrored)
    : has_parent_(parent),
      parent_(PeerMap::level_tree(TreeEdge::parent, mirrored, domain_digit)),
      active_{Active::Kind::level_tree_shape, domain_digit, 0, mirrored, parent, low, high} {
  if (high) children_.push_back(PeerMap::level_tree(TreeEdge::child_high, mirrored, domain_digit));
  if (low) children_.push_back(PeerMap::level_tree(TreeEdge::child_low, mirrored, domain_digit));
}

Phase LevelTreePhases::step(unsigned action, Buffer source, std::uint8_t role, PeerMap in,
                            PeerMap out, const ChunkMap& part) const {
  return {static_cast<std::uint8_t>(action),
          source,
          role,
          std::move(in),
          std::move(out),
          part,
          active_};
}

void LevelTreePhases::add_up(std::vector<Phase>& phases, std::uint8_t role, const ChunkMap& part,
                             const PeerMap& own) const {
  const bool leaf = children_.empty();
  if (own.exists()) {
    phases.push_back(step(leaf ? recv_reduce_forward : recv_reduce_store, Buffer::input, role, own,
                          leaf ? parent_ : PeerMap{}, part));
  } else if (leaf) {
    phases.push_back(step(action_send, Buffer::output, role, {}, parent_, part));
  }
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const bool last = i + 1 == children_.size();
    const unsigned action = !last         ? recv_reduce_store
                            : has_parent_ ? recv_reduce_send
                                          : recv_reduce_forward;
    const PeerMap& to = has_parent_ ? parent_ : children_.front();
    phases.push_back(step(action, Buffer::output, role, children_[i], last ? to : PeerMap{}, part));
  }
  if (!has_parent_) add_sends(phases, role, part);
}

void LevelTreePhases::add_down(std::vector<Phase>& phases, std::uint8_t role,
                               const ChunkMap& part) const {
  if (!has_parent_) return;  // the root sent from its up lane
  const bool leaf = children_.empty();
  phases.push_back(step(leaf ? recv_store : recv_forward, Buffer::input, role, parent_,
                        leaf ? PeerMap{} : children_.front(), part));
  add_sends(phases, role, part);
}

// Of the result, to the other children.
void LevelTreePhases::add_sends(std::vector<Phase>& phases, std::uint8_t role,
                                const ChunkMap& part) const {
  for (std::size_t i = 1; i < children_.size(); ++i) {
    phases.push_back(step(action_send, Buffer::output, role, {}, children_[i], part));
  }
}

MapTable lanes_with_result(const RankSpace& transposed, bool mirrored, std::uint8_t up_role,
                           std::uint8_t down_role, std::int32_t stage) {
  std::vector<std::int32_t> table;
  for (std::int32_t x = 0; x < transposed.size(); ++x) {
    const bool root = level_tree_position(transposed, domain_digit, x, mirrored).parent < 0;
    table.push_back(root ? up_role : down_role);
    table.push_back(stage);
  }
  return MapTable(std::move(table));
}

}  // namespace fabricast
