#include <utility>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/level_tree.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

// NCCL's NVLSTree. Lanes as its warp roles: scatter hands every head (here: every member) its part
// for reduction in the switch; up adds what the children of the tree sent and passes the sum to the
// parent; down takes the result from there and passes it on; publish multicasts it in the domain;
// gather takes the others' parts. The root's up lane turns the last sum around at once. Publish is
// a lane of its own, because the network carries what the others send without holding up the
// switch.

namespace fabricast {
namespace {

constexpr std::uint8_t scatter_role = 0;
constexpr std::uint8_t up_role = 1;
constexpr std::uint8_t down_role = 2;
constexpr std::uint8_t publish_role = 3;
constexpr std::uint8_t gather_role = 4;
const PeerMap to_reduction = PeerMap::group(member_digit, 0);
const PeerMap multicast = PeerMap::group(member_digit, 1);

Phase all_members(std::uint8_t action, std::uint8_t role, PeerMap in, PeerMap out,
                  const ChunkMap& part) {
  Phase phase{action, Buffer::input, role, std::move(in), std::move(out), part, {}};
  phase.per_member = true;
  return phase;
}

}  // namespace

Schedule in_switch_tree_all_reduce(const RankSpace& ranks, bool mirrored) {
  const std::int32_t l = ranks.domain_size(), domains = ranks.domains();
  FABRICAST_EXPECT(l >= 2 && domains >= 2, "switches, and a tree between them");
  const RankSpace space{domains, l};
  auto schedule = empty_schedule(Collective::all_reduce, "nvls_tree", space, l);
  schedule.roles = 5;
  const ChunkMap part{{fixed_term(member_digit, l, 0), {}}};
  PhaseGroup enter{StageOrder::rounds,
                   {all_members(action_send, scatter_role, {}, to_reduction, part)}};
  PhaseGroup up{StageOrder::dataflow, {}}, down{StageOrder::dataflow, {}};
  for (const LevelTreePhases& shape : LevelTreePhases::of_all_shapes(domains, mirrored)) {
    shape.add_up(up.phases, up_role, part, to_reduction);
    shape.add_down(down.phases, down_role, part);
  }
  Phase publish{action_send, Buffer::output, publish_role, {}, multicast, part, {}};
  publish.after = lanes_with_result(space, mirrored, up_role, down_role, 0);
  schedule.stages.push_back({"tree", 1, {std::move(enter), std::move(up), std::move(down)}});
  add_stage(schedule, stage_of_phases("switch_multicast",
                                      {std::move(publish),
                                       all_members(recv_store, gather_role, multicast, {}, part)}));
  return schedule;
}

}  // namespace fabricast
