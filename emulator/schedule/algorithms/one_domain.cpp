#include <string>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/group_phases.hpp"

// Every rank loads from and stores to the memory of all others, without slots and without a switch
// that reduces: one step to all, one step from all.

namespace fabricast {
namespace {

constexpr std::uint8_t scatter_role = 0;
constexpr std::uint8_t reduce_role = 1;
constexpr std::uint8_t gather_role = 2;
const PeerMap to_owners = PeerMap::direct_group(0, 0);
const PeerMap to_all = PeerMap::direct_group(0, 1);

Schedule one_domain(Collective collective, std::string algorithm, const RankSpace& space,
                    std::int32_t chunks) {
  FABRICAST_EXPECT(space.domains() == 1 && space.size() >= 2, "several ranks in one domain");
  return empty_schedule(collective, std::move(algorithm), space, chunks);
}

ChunkMap own_part(const RankSpace& space) { return own_chunks(space.size(), 0); }

Stage reduce_scatter(const RankSpace& space) {
  const ChunkMap part = own_part(space);
  return stage_of_phases("reduce_scatter",
                         {scatter_parts(scatter_role, to_owners, part),
                          reduce_part(reduce_role, to_owners, part, Buffer::output)});
}

Stage all_gather(const RankSpace& space, Phase publish) {
  return stage_of_phases("all_gather",
                         {std::move(publish), gather_parts(gather_role, to_all, own_part(space))});
}

}  // namespace

Schedule one_shot_all_reduce(const RankSpace& space) {
  auto schedule = one_domain(Collective::all_reduce, "one_shot", space, 1);
  // One lane: in place, the sum must not overwrite what is still to be sent.
  add_stage(
      schedule,
      stage_of_phases("exchange", {{action_send, Buffer::input, 0, {}, to_all, first_chunks(1), {}},
                                   reduce_part(0, to_all, first_chunks(1), Buffer::output)}));
  return schedule;
}

// Two stages, so that each has the links to itself: a part is published when it is whole.
Schedule two_shot_all_reduce(const RankSpace& space) {
  auto schedule = one_domain(Collective::all_reduce, "two_shot", space, space.size());
  schedule.roles = 3;
  add_stage(schedule, reduce_scatter(space));
  add_stage(schedule, all_gather(space, publish_part(reduce_role, to_all, own_part(space))));
  return schedule;
}

Schedule direct_all_gather(const RankSpace& space) {
  auto schedule = one_domain(Collective::all_gather, "direct", space, space.size());
  schedule.roles = 3;
  add_stage(schedule, all_gather(space, publish_input(reduce_role, to_all, own_part(space))));
  return schedule;
}

Schedule direct_reduce_scatter(const RankSpace& space) {
  auto schedule = one_domain(Collective::reduce_scatter, "direct", space, space.size());
  schedule.roles = 2;
  add_stage(schedule, reduce_scatter(space));
  return schedule;
}

}  // namespace fabricast
