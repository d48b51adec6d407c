#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

const PeerMap next = PeerMap::linear(0, 1);
const PeerMap previous = PeerMap::linear(0, -1);

Schedule ring_schedule(Collective collective, const RankSpace& space) {
  return empty_schedule(collective, "ring", space, space.size());
}

// Position x moves chunk x + offset - t in step t; `t0` is the stage's first step.
ChunkMap moving_chunk(std::int32_t p, std::int32_t offset, std::int32_t t0) {
  return {{ring_term(-1, p, offset - t0), {}}, 1};
}

}  // namespace

Schedule ring_reduce_scatter(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::reduce_scatter, "ring", space);
  auto schedule = ring_schedule(Collective::reduce_scatter, space);
  const auto chunk = [p](std::int32_t t0) { return moving_chunk(p, -1, t0); };
  add_stage(schedule, stage_of("first_send", 1, {action_send, Buffer::input, 0, {}, next, chunk(0), {}}));
  add_stage(schedule, stage_of("reduce_scatter", p - 2,
                               {recv_reduce_send, Buffer::input, 0, previous, next, chunk(1), {}}));
  add_stage(schedule, stage_of("last_reduce", 1,
                               {recv_reduce_store, Buffer::input, 0, previous, {}, chunk(p - 1), {}}));
  return schedule;
}

Schedule ring_all_gather(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::all_gather, "ring", space);
  auto schedule = ring_schedule(Collective::all_gather, space);
  const auto chunk = [p](std::int32_t t0) { return moving_chunk(p, 0, t0); };
  add_stage(schedule, stage_of("first_send", 1,
                               {action_copy | action_send, Buffer::input, 0, {}, next, chunk(0), {}}));
  add_stage(schedule, stage_of("all_gather", p - 2,
                               {recv_forward, Buffer::input, 0, previous, next, chunk(1), {}}));
  add_stage(schedule, stage_of("last_receive", 1,
                               {recv_store, Buffer::input, 0, previous, {}, chunk(p - 1), {}}));
  return schedule;
}

Schedule ring_all_reduce(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::all_reduce, "ring", space);
  auto schedule = ring_schedule(Collective::all_reduce, space);
  const auto chunk = [p](std::int32_t t0) { return moving_chunk(p, -1, t0); };
  add_stage(schedule, stage_of("first_send", 1, {action_send, Buffer::input, 0, {}, next, chunk(0), {}}));
  add_stage(schedule, stage_of("reduce_scatter", p - 2,
                               {recv_reduce_send, Buffer::input, 0, previous, next, chunk(1), {}}));
  add_stage(schedule, stage_of("turn", 1,
                               {recv_reduce_forward, Buffer::input, 0, previous, next, chunk(p - 1), {}}));
  add_stage(schedule, stage_of("all_gather", p - 2,
                               {recv_forward, Buffer::input, 0, previous, next, chunk(p), {}}));
  add_stage(schedule, stage_of("last_receive", 1,
                               {recv_store, Buffer::input, 0, previous, {}, chunk(2 * p - 2), {}}));
  return schedule;
}

Schedule chain_broadcast(const RankSpace& space, std::int32_t chunks) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::broadcast, "ring", space);
  auto schedule = empty_schedule(Collective::broadcast, "ring", space, chunks);
  const ChunkMap chunk = kth_chunk(chunks);
  PhaseGroup chain{StageOrder::sequence, {}};
  chain.phases.push_back({action_copy | action_send, Buffer::input, 0, {}, next, chunk,
                          Active::range(0, 1)});
  if (p > 2) {
    chain.phases.push_back({recv_forward, Buffer::input, 0, previous, next, chunk,
                            Active::range(1, p - 1)});
  }
  chain.phases.push_back({recv_store, Buffer::input, 0, previous, {}, chunk,
                          Active::range(p - 1, p)});
  schedule.stages.push_back({"chain", chunks, {std::move(chain)}});
  return schedule;
}

Schedule chain_reduce(const RankSpace& space, std::int32_t chunks) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::reduce, "ring", space);
  auto schedule = empty_schedule(Collective::reduce, "ring", space, chunks);
  const ChunkMap chunk = kth_chunk(chunks);
  PhaseGroup chain{StageOrder::dataflow, {}};
  chain.phases.push_back({action_send, Buffer::input, 0, {}, next, chunk, Active::range(1, 2)});
  if (p > 2) {
    chain.phases.push_back({recv_reduce_send, Buffer::input, 0, previous, next, chunk,
                            Active::range(2, p)});
  }
  chain.phases.push_back({recv_reduce_store, Buffer::input, 0, previous, {}, chunk,
                          Active::range(0, 1)});
  schedule.stages.push_back({"chain", chunks, {std::move(chain)}});
  return schedule;
}

}  // namespace fabricast
