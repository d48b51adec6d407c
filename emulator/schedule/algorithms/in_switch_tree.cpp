#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"
#include "emulator/schedule/tree.hpp"

// NCCL's NVLSTree. Lanes as its warp roles: scatter hands every head (here: every member) its part
// for reduction in the switch; up adds what the children of the tree sent and passes the sum to the
// parent; down takes the result from there and passes it on; publish multicasts it in the domain;
// gather takes the others' parts. The root's up lane turns the last sum around at once. Publish is
// a lane of its own, because the network carries what the others send without holding up the
// switch.

namespace fabricast {
namespace {

using TreeEdge = PeerMap::TreeEdge;
using Shape = std::tuple<bool, bool, bool>;  // parent, low, high

constexpr std::uint8_t scatter_role = 0;
constexpr std::uint8_t up_role = 1;
constexpr std::uint8_t down_role = 2;
constexpr std::uint8_t publish_role = 3;
constexpr std::uint8_t gather_role = 4;
// Positions are numbered domain by domain along the members, the other way round than ranks, so
// that the members of a domain, which all do the same, lie a period apart.
constexpr std::int32_t domain_digit = 0, member_digit = 1;
const PeerMap to_reduction = PeerMap::group(member_digit, 0);
const PeerMap multicast = PeerMap::group(member_digit, 1);

std::vector<PeerMap> children_of(const Shape& shape, bool mirrored) {
  std::vector<PeerMap> children;
  if (std::get<2>(shape))
    children.push_back(PeerMap::level_tree(TreeEdge::child_high, mirrored, domain_digit));
  if (std::get<1>(shape))
    children.push_back(PeerMap::level_tree(TreeEdge::child_low, mirrored, domain_digit));
  return children;
}

// The phases of the positions of one shape, in the order of their lanes.
class ShapePhases {
 public:
  ShapePhases(const Shape& shape, const ChunkMap& part, bool mirrored)
      : has_parent_(std::get<0>(shape)),
        children_(children_of(shape, mirrored)),
        parent_(PeerMap::level_tree(TreeEdge::parent, mirrored, domain_digit)),
        part_(part),
        active_{Active::Kind::level_tree_shape,
                domain_digit,
                0,
                mirrored,
                has_parent_,
                std::get<1>(shape),
                std::get<2>(shape)} {}

  void add_up(std::vector<Phase>& phases) const {
    // A leaf passes on what the switch has added up, in one step.
    const bool leaf = children_.empty();
    phases.push_back(step(leaf ? recv_reduce_forward : recv_reduce_store, Buffer::input, up_role,
                          to_reduction, leaf ? parent_ : PeerMap{}));
    for (std::size_t i = 0; i < children_.size(); ++i) {
      const bool last = i + 1 == children_.size();
      const unsigned action = !last         ? recv_reduce_store
                              : has_parent_ ? recv_reduce_send
                                            : recv_reduce_forward;
      phases.push_back(step(action, Buffer::output, up_role, children_[i],
                            !last         ? PeerMap{}
                            : has_parent_ ? parent_
                                          : children_.front()));
    }
    if (!has_parent_) add_sends(phases, up_role);
  }

  void add_down(std::vector<Phase>& phases) const {
    if (!has_parent_) return;
    const bool leaf = children_.empty();
    phases.push_back(step(leaf ? recv_store : recv_forward, Buffer::input, down_role, parent_,
                          leaf ? PeerMap{} : children_.front()));
    add_sends(phases, down_role);
  }

 private:
  Phase step(unsigned action, Buffer source, std::uint8_t role, PeerMap in, PeerMap out) const {
    return {static_cast<std::uint8_t>(action),
            source,
            role,
            std::move(in),
            std::move(out),
            part_,
            active_};
  }
  // Of the result, to the other children.
  void add_sends(std::vector<Phase>& phases, std::uint8_t role) const {
    for (std::size_t i = 1; i < children_.size(); ++i) {
      phases.push_back(step(action_send, Buffer::output, role, {}, children_[i]));
    }
  }

  bool has_parent_;
  std::vector<PeerMap> children_;
  PeerMap parent_;
  ChunkMap part_;
  Active active_;
};

Phase all_members(std::uint8_t action, std::uint8_t role, PeerMap in, PeerMap out,
                  const ChunkMap& part) {
  Phase phase{action, Buffer::input, role, std::move(in), std::move(out), part, {}};
  phase.per_member = true;
  return phase;
}

// The lane that has the result in the first stage: up in the tree's root, down elsewhere.
MapTable result_is_there(const RankSpace& space, bool mirrored) {
  std::vector<std::int32_t> table;
  for (std::int32_t x = 0; x < space.size(); ++x) {
    const bool root = level_tree_position(space, domain_digit, x, mirrored).parent < 0;
    table.push_back(root ? up_role : down_role);
    table.push_back(0);
  }
  return MapTable(std::move(table));
}

}  // namespace

Schedule in_switch_tree_all_reduce(const RankSpace& ranks, bool mirrored) {
  const std::int32_t l = ranks.domain_size(), domains = ranks.domains();
  FABRICAST_EXPECT(l >= 2 && domains >= 2, "switches, and a tree between them");
  const RankSpace space{domains, l};
  auto schedule = empty_schedule(Collective::all_reduce, "nvls_tree", space, l);
  schedule.roles = 5;
  const ChunkMap part{{fixed_term(member_digit, l, 0), {}}};
  std::set<Shape> shapes;  // seven at most
  for (std::int32_t domain = 0; domain < domains; ++domain) {
    const TreeNode node = binary_tree_node(domains, domain, mirrored);
    shapes.insert({node.parent >= 0, node.child_low >= 0, node.child_high >= 0});
  }
  PhaseGroup enter{StageOrder::rounds,
                   {all_members(action_send, scatter_role, {}, to_reduction, part)}};
  PhaseGroup up{StageOrder::dataflow, {}}, down{StageOrder::dataflow, {}};
  for (const Shape& shape : shapes) {
    const ShapePhases phases(shape, part, mirrored);
    phases.add_up(up.phases);
    phases.add_down(down.phases);
  }
  Phase publish{action_send, Buffer::output, publish_role, {}, multicast, part, {}};
  publish.after = result_is_there(space, mirrored);
  schedule.stages.push_back({"tree", 1, {std::move(enter), std::move(up), std::move(down)}});
  add_stage(schedule, stage_of_phases("switch_multicast",
                                      {std::move(publish),
                                       all_members(recv_store, gather_role, multicast, {}, part)}));
  return schedule;
}

}  // namespace fabricast
