#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/group_phases.hpp"
#include "emulator/schedule/algorithms/two_level.hpp"

// Lanes as NCCL's warp roles, one for each kind of phase.

namespace fabricast {
namespace {

constexpr std::uint8_t scatter_role = 0;
constexpr std::uint8_t reduce_role = 1;
constexpr std::uint8_t gather_role = 2;
const PeerMap to_reduction = PeerMap::group(0, 0);
const PeerMap multicast = PeerMap::group(0, 1);

Schedule in_switch_schedule(Collective collective, const RankSpace& space) {
  FABRICAST_EXPECT(space.domain_size() >= 2, "a switch joins at least two");
  auto schedule = two_level_schedule(collective, "nvls", space);
  schedule.roles = 3;
  return schedule;
}

Phase scatter(const RankSpace& space) {
  return scatter_parts(scatter_role, to_reduction, own_block(space));
}

Phase reduce(const RankSpace& space, Buffer target) {
  return reduce_part(reduce_role, to_reduction, own_block(space), target);
}

Phase publish(const RankSpace& space) {
  return publish_part(reduce_role, multicast, own_block(space));
}

Phase gather(const RankSpace& space) {
  return gather_parts(gather_role, multicast, own_block(space));
}

}  // namespace

Schedule in_switch_all_reduce(const RankSpace& space) {
  auto schedule = in_switch_schedule(Collective::all_reduce, space);
  if (space.domains() == 1) {
    Phase reduce_and_publish = reduce(space, Buffer::output);
    reduce_and_publish.action |= action_send;
    reduce_and_publish.peer_out = multicast;
    add_stage(schedule,
              stage_of_phases("in_switch", {scatter(space), reduce_and_publish, gather(space)}));
    return schedule;
  }
  add_stage(schedule,
            stage_of_phases("switch_reduce", {scatter(space), reduce(space, Buffer::output)}));
  add_across_all_reduce(schedule, reduce_role);
  add_stage(schedule, stage_of_phases("switch_multicast", {publish(space), gather(space)}));
  return schedule;
}

Schedule in_switch_all_gather(const RankSpace& space) {
  auto schedule = in_switch_schedule(Collective::all_gather, space);
  if (space.domains() == 1) {
    add_stage(schedule, stage_of_phases("switch_multicast",
                                        {publish_input(reduce_role, multicast, own_block(space)),
                                         gather(space)}));
    return schedule;
  }
  add_across_all_gather(schedule, reduce_role);
  add_stage(schedule, stage_of_phases("switch_multicast", {publish(space), gather(space)}));
  return schedule;
}

Schedule in_switch_reduce_scatter(const RankSpace& space) {
  auto schedule = in_switch_schedule(Collective::reduce_scatter, space);
  const bool across = space.domains() > 1;
  if (across) schedule.scratch_chunks = schedule.chunks;
  add_stage(schedule, stage_of_phases("switch_reduce",
                                      {scatter(space),
                                       reduce(space, across ? Buffer::scratch : Buffer::output)}));
  if (across) add_across_reduce_scatter(schedule, reduce_role);
  return schedule;
}

}  // namespace fabricast
