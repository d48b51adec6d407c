#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

const PeerMap inside_next = PeerMap::on_digit(0, 0, 1);
const PeerMap inside_previous = PeerMap::on_digit(0, 0, -1);
const PeerMap across_next = PeerMap::on_digit(1, 0, 1);
const PeerMap across_previous = PeerMap::on_digit(1, 0, -1);

// Chunk d0 * N + d1 belongs to local index d0 of domain d1: all chunks of one local index are
// contiguous, so that inside a domain a step moves N chunks as one message.
Schedule hierarchical_schedule(Collective collective, const RankSpace& space) {
  FABRICAST_EXPECT(space.domain_size() >= 2 && space.domains() >= 2, "two levels");
  Schedule schedule;
  schedule.collective = collective;
  schedule.algorithm = "hierarchical";
  schedule.space = space;
  schedule.chunks = space.size();
  schedule.transposed_chunks = true;
  return schedule;
}

// All N chunks of local index d0 + offset - t.
ChunkMap block(const RankSpace& space, std::int32_t offset, std::int32_t t0) {
  return {{ring_term(0, space.domain_size(), offset - t0, space.domains()), {}}, space.domains()};
}

// One chunk: local index d0, domain d1 + offset - t.
ChunkMap single(const RankSpace& space, std::int32_t offset, std::int32_t t0) {
  return {{ring_term(1, space.domains(), offset - t0),
           fixed_term(0, space.domain_size(), 0, space.domains())},
          1};
}

void add_inside_all_gather(Schedule& schedule, const RankSpace& space) {
  const std::int32_t l = space.domain_size();
  add_stage(schedule, stage_of("domain_gather_send", 1,
                               {action_send, true, 0, {}, inside_next, block(space, 0, 0), {}}));
  add_stage(schedule, stage_of("domain_all_gather", l - 2,
                               {recv_forward, false, 0, inside_previous, inside_next,
                                block(space, 0, 1), {}}));
  add_stage(schedule, stage_of("domain_gather_receive", 1,
                               {recv_store, false, 0, inside_previous, {}, block(space, 0, l - 1), {}}));
}

}  // namespace

Schedule hierarchical_all_reduce(const RankSpace& space) {
  auto schedule = hierarchical_schedule(Collective::all_reduce, space);
  const std::int32_t l = space.domain_size();
  const std::int32_t n = space.domains();
  add_stage(schedule, stage_of("domain_scatter_send", 1,
                               {action_send, false, 0, {}, inside_next, block(space, -1, 0), {}}));
  add_stage(schedule, stage_of("domain_reduce_scatter", l - 2,
                               {recv_reduce_send, false, 0, inside_previous, inside_next,
                                block(space, -1, 1), {}}));
  add_stage(schedule, stage_of("domain_scatter_reduce", 1,
                               {recv_reduce_store, false, 0, inside_previous, {},
                                block(space, -1, l - 1), {}}));
  // The domain's sum is in the output buffer: the ring across domains reads its operands there.
  add_stage(schedule, stage_of("across_send", 1,
                               {action_send, true, 0, {}, across_next, single(space, -1, 0), {}}));
  add_stage(schedule, stage_of("across_reduce_scatter", n - 2,
                               {recv_reduce_send, true, 0, across_previous, across_next,
                                single(space, -1, 1), {}}));
  add_stage(schedule, stage_of("across_turn", 1,
                               {recv_reduce_forward, true, 0, across_previous, across_next,
                                single(space, -1, n - 1), {}}));
  add_stage(schedule, stage_of("across_all_gather", n - 2,
                               {recv_forward, false, 0, across_previous, across_next,
                                single(space, -1, n), {}}));
  add_stage(schedule, stage_of("across_receive", 1,
                               {recv_store, false, 0, across_previous, {},
                                single(space, -1, 2 * n - 2), {}}));
  add_inside_all_gather(schedule, space);
  return schedule;
}

Schedule hierarchical_all_gather(const RankSpace& space) {
  auto schedule = hierarchical_schedule(Collective::all_gather, space);
  const std::int32_t n = space.domains();
  add_stage(schedule, stage_of("across_send", 1,
                               {action_copy | action_send, false, 0, {}, across_next,
                                single(space, 0, 0), {}}));
  add_stage(schedule, stage_of("across_all_gather", n - 2,
                               {recv_forward, false, 0, across_previous, across_next,
                                single(space, 0, 1), {}}));
  add_stage(schedule, stage_of("across_receive", 1,
                               {recv_store, false, 0, across_previous, {}, single(space, 0, n - 1), {}}));
  add_inside_all_gather(schedule, space);
  return schedule;
}

}  // namespace fabricast
