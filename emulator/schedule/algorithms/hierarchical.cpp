#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/two_level.hpp"

namespace fabricast {
namespace {

const PeerMap inside_next = PeerMap::on_digit(0, 0, 1);
const PeerMap inside_previous = PeerMap::on_digit(0, 0, -1);

Schedule hierarchical_schedule(Collective collective, const RankSpace& space) {
  FABRICAST_EXPECT(space.domain_size() >= 2 && space.domains() >= 2, "two levels");
  return two_level_schedule(collective, "hierarchical", space);
}

// Ring reduce-scatter inside each domain: the domain's sum of the own block ends in `target`.
void add_inside_reduce_scatter(Schedule& schedule, Buffer target) {
  const RankSpace& space = schedule.space;
  const std::int32_t l = space.domain_size();
  add_stage(schedule, stage_of("domain_scatter_send", 1,
                               {action_send, Buffer::input, 0, {}, inside_next,
                                local_block(space, -1, 0), {}}));
  add_stage(schedule, stage_of("domain_reduce_scatter", l - 2,
                               {recv_reduce_send, Buffer::input, 0, inside_previous, inside_next,
                                local_block(space, -1, 1), {}}));
  add_stage(schedule, stage_of("domain_scatter_reduce", 1,
                               {recv_reduce_store, Buffer::input, 0, inside_previous, {},
                                local_block(space, -1, l - 1), {}, target}));
}

void add_inside_all_gather(Schedule& schedule) {
  const RankSpace& space = schedule.space;
  const std::int32_t l = space.domain_size();
  add_stage(schedule, stage_of("domain_gather_send", 1,
                               {action_send, Buffer::output, 0, {}, inside_next,
                                local_block(space, 0, 0), {}}));
  add_stage(schedule, stage_of("domain_all_gather", l - 2,
                               {recv_forward, Buffer::input, 0, inside_previous, inside_next,
                                local_block(space, 0, 1), {}}));
  add_stage(schedule, stage_of("domain_gather_receive", 1,
                               {recv_store, Buffer::input, 0, inside_previous, {},
                                local_block(space, 0, l - 1), {}}));
}

}  // namespace

Schedule hierarchical_all_reduce(const RankSpace& space) {
  auto schedule = hierarchical_schedule(Collective::all_reduce, space);
  add_inside_reduce_scatter(schedule, Buffer::output);
  add_across_all_reduce(schedule, 0);
  add_inside_all_gather(schedule);
  return schedule;
}

Schedule hierarchical_all_gather(const RankSpace& space) {
  auto schedule = hierarchical_schedule(Collective::all_gather, space);
  add_across_all_gather(schedule, 0);
  add_inside_all_gather(schedule);
  return schedule;
}

Schedule hierarchical_reduce_scatter(const RankSpace& space) {
  auto schedule = hierarchical_schedule(Collective::reduce_scatter, space);
  schedule.scratch_chunks = schedule.chunks;
  add_inside_reduce_scatter(schedule, Buffer::scratch);
  add_across_reduce_scatter(schedule, 0);
  return schedule;
}

}  // namespace fabricast
