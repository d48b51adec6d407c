#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

const PeerMap root = PeerMap::absolute(0, 0);
const PeerMap kth_other = PeerMap::absolute(1, 1);  // the root's peers 1, 2, ... in turn

}  // namespace

Schedule direct_send_recv(const RankSpace& space) {
  if (space.size() == 1) return local_copy(Collective::send_recv, "direct", space);
  auto schedule = empty_schedule(Collective::send_recv, "direct", space, 1);
  schedule.roles = 2;  // sending and receiving are independent lanes
  const ChunkMap all = first_chunks(1);
  add_stage(schedule, stage_of_phases(
                          "exchange", {{action_send, Buffer::input, 0, {}, PeerMap::linear(0, 1), all, {}},
                                       {recv_store, Buffer::input, 1, PeerMap::linear(0, -1), {}, all, {}}}));
  return schedule;
}

Schedule direct_gather(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::gather, "direct", space);
  auto schedule = empty_schedule(Collective::gather, "direct", space, p);
  add_stage(schedule, stage_of_phases("send",
                                      {{action_copy, Buffer::input, 0, {}, {}, own_chunks(p, 0),
                                        Active::range(0, 1)},
                                       {action_send, Buffer::input, 0, {}, root, own_chunks(p, 0),
                                        Active::range(1, p)}}));
  add_stage(schedule, stage_of("collect", p - 1,
                               {recv_store, Buffer::input, 0, kth_other, {},
                                ChunkMap::of_peer_in(), Active::range(0, 1)}));
  return schedule;
}

Schedule direct_scatter(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::scatter, "direct", space);
  auto schedule = empty_schedule(Collective::scatter, "direct", space, p);
  add_stage(schedule, stage_of("own_block", 1,
                               {action_copy, Buffer::input, 0, {}, {}, own_chunks(p, 0),
                                Active::range(0, 1)}));
  add_stage(schedule, stage_of("distribute", p - 1,
                               {action_send, Buffer::input, 0, {}, kth_other,
                                ChunkMap::of_peer_out(), Active::range(0, 1)}));
  add_stage(schedule, stage_of("receive", 1,
                               {recv_store, Buffer::input, 0, root, {}, own_chunks(p, 0),
                                Active::range(1, p)}));
  return schedule;
}

}  // namespace fabricast
