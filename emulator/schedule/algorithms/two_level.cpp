#include "emulator/schedule/algorithms/two_level.hpp"

namespace fabricast {
namespace {

const PeerMap across_next = PeerMap::on_digit(1, 0, 1);
const PeerMap across_previous = PeerMap::on_digit(1, 0, -1);

// One chunk: local index d0, domain d1 + offset - t0 - k.
ChunkMap single(const RankSpace& space, std::int32_t offset, std::int32_t t0) {
  return {{ring_term(1, space.domains(), offset - t0),
           fixed_term(0, space.domain_size(), 0, space.domains())},
          1};
}

}  // namespace

Schedule two_level_schedule(Collective collective, std::string algorithm, const RankSpace& space) {
  auto schedule = empty_schedule(collective, std::move(algorithm), space, space.size());
  schedule.transposed_chunks = true;
  return schedule;
}

ChunkMap local_block(const RankSpace& space, std::int32_t offset, std::int32_t t0) {
  return {{ring_term(0, space.domain_size(), offset - t0, space.domains()), {}}, space.domains()};
}

ChunkMap own_block(const RankSpace& space) {
  return {{fixed_term(0, space.domain_size(), 0, space.domains()), {}}, space.domains()};
}

void add_across_all_reduce(Schedule& schedule, std::uint8_t role) {
  const RankSpace& space = schedule.space;
  const std::int32_t n = space.domains();
  add_stage(schedule, stage_of("across_send", 1,
                               {action_send, Buffer::output, role, {}, across_next,
                                single(space, -1, 0), {}}));
  add_stage(schedule, stage_of("across_reduce_scatter", n - 2,
                               {recv_reduce_send, Buffer::output, role, across_previous,
                                across_next, single(space, -1, 1), {}}));
  add_stage(schedule, stage_of("across_turn", 1,
                               {recv_reduce_forward, Buffer::output, role, across_previous,
                                across_next, single(space, -1, n - 1), {}}));
  add_stage(schedule, stage_of("across_all_gather", n - 2,
                               {recv_forward, Buffer::input, role, across_previous, across_next,
                                single(space, -1, n), {}}));
  add_stage(schedule, stage_of("across_receive", 1,
                               {recv_store, Buffer::input, role, across_previous, {},
                                single(space, -1, 2 * n - 2), {}}));
}

void add_across_all_gather(Schedule& schedule, std::uint8_t role) {
  const RankSpace& space = schedule.space;
  const std::int32_t n = space.domains();
  add_stage(schedule, stage_of("across_send", 1,
                               {action_copy | action_send, Buffer::input, role, {}, across_next,
                                single(space, 0, 0), {}}));
  add_stage(schedule, stage_of("across_all_gather", n - 2,
                               {recv_forward, Buffer::input, role, across_previous, across_next,
                                single(space, 0, 1), {}}));
  add_stage(schedule, stage_of("across_receive", 1,
                               {recv_store, Buffer::input, role, across_previous, {},
                                single(space, 0, n - 1), {}}));
}

void add_across_reduce_scatter(Schedule& schedule, std::uint8_t role) {
  const RankSpace& space = schedule.space;
  const std::int32_t n = space.domains();
  add_stage(schedule, stage_of("across_send", 1,
                               {action_send, Buffer::scratch, role, {}, across_next,
                                single(space, -1, 0), {}}));
  add_stage(schedule, stage_of("across_reduce_scatter", n - 2,
                               {recv_reduce_send, Buffer::scratch, role, across_previous,
                                across_next, single(space, -1, 1), {}}));
  add_stage(schedule, stage_of("across_reduce", 1,
                               {recv_reduce_store, Buffer::scratch, role, across_previous, {},
                                single(space, -1, n - 1), {}}));
}

}  // namespace fabricast
