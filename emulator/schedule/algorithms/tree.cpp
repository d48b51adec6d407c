#include "emulator/schedule/tree.hpp"

#include <set>
#include <tuple>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

using TreeEdge = PeerMap::TreeEdge;
using Shape = std::tuple<bool, bool, bool, bool>;  // parent, low, high, chain

constexpr std::uint8_t up_role = 0;
constexpr std::uint8_t down_role = 1;

std::vector<TreeEdge> children_of(const Shape& shape) {
  const auto& [parent, low, high, chain] = shape;
  std::vector<TreeEdge> children;
  if (high) children.push_back(TreeEdge::child_high);
  if (low) children.push_back(TreeEdge::child_low);
  if (chain) children.push_back(TreeEdge::chain_child);
  return children;
}

// One lane reduces what its children send and passes the sum to the parent. The root turns the
// last reduction around at once: it sends the result to its children from the same lane.
void add_up_phases(std::vector<Phase>& phases, const Shape& shape, const Active& active,
                   const ChunkMap& chunk, bool mirrored) {
  const bool has_parent = std::get<0>(shape);
  const auto parent = PeerMap::tree(TreeEdge::parent, mirrored);
  const auto children = children_of(shape);
  if (children.empty()) {
    phases.push_back({action_send, Buffer::input, up_role, {}, parent, chunk, active});
    return;
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto child = PeerMap::tree(children[i], mirrored);
    // The partial sum is in the output chunk after the first child.
    const Buffer accumulated = i > 0 ? Buffer::output : Buffer::input;
    if (i + 1 < children.size()) {
      phases.push_back({recv_reduce_store, accumulated, up_role, child, {}, chunk, active});
    } else if (has_parent) {
      phases.push_back({recv_reduce_send, accumulated, up_role, child, parent, chunk, active});
    } else {
      const auto first = PeerMap::tree(children.front(), mirrored);
      phases.push_back({recv_reduce_forward, accumulated, up_role, child, first, chunk, active});
      for (std::size_t j = 1; j < children.size(); ++j) {
        phases.push_back({action_send, Buffer::output, up_role, {}, PeerMap::tree(children[j], mirrored),
                          chunk, active});
      }
    }
  }
}

void add_down_phases(std::vector<Phase>& phases, const Shape& shape, const Active& active,
                     const ChunkMap& chunk, bool mirrored) {
  if (!std::get<0>(shape)) return;  // the root sent from its up lane
  const auto parent = PeerMap::tree(TreeEdge::parent, mirrored);
  const auto children = children_of(shape);
  if (children.empty()) {
    phases.push_back({recv_store, Buffer::input, down_role, parent, {}, chunk, active});
    return;
  }
  phases.push_back({recv_forward, Buffer::input, down_role, parent,
                    PeerMap::tree(children.front(), mirrored), chunk, active});
  for (std::size_t j = 1; j < children.size(); ++j) {
    phases.push_back({action_send, Buffer::output, down_role, {}, PeerMap::tree(children[j], mirrored), chunk,
                      active});
  }
}

}  // namespace

Schedule tree_all_reduce(const RankSpace& space, std::int32_t chunks, bool mirrored) {
  if (space.size() == 1) return local_copy(Collective::all_reduce, "tree", space);
  auto schedule = empty_schedule(Collective::all_reduce, "tree", space, chunks);
  schedule.roles = 2;
  const ChunkMap chunk = kth_chunk(chunks);

  std::set<Shape> shapes;  // at most a dozen differ, whatever the size
  for (std::int32_t x = 0; x < space.size(); ++x) {
    const auto position = tree_position(space, x, mirrored);
    shapes.insert({position.parent >= 0, position.child_low >= 0, position.child_high >= 0,
                   position.chain_child >= 0});
  }
  PhaseGroup up{StageOrder::leaves_first, {}};
  PhaseGroup down{StageOrder::root_first, {}};
  for (const auto& shape : shapes) {
    const auto& [parent, low, high, chain] = shape;
    const Active active{Active::Kind::tree_shape, 0, 0, mirrored, parent, low, high, chain};
    add_up_phases(up.phases, shape, active, chunk, mirrored);
    add_down_phases(down.phases, shape, active, chunk, mirrored);
  }
  schedule.stages.push_back({"tree", chunks, {std::move(up), std::move(down)}});
  return schedule;
}

}  // namespace fabricast
