#include <bit>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

// The tree of block c has position c as its root; position x is node m = c - x (mod p), and node m
// has the children m + d for every power of two d below the lowest set bit of m (any d for the
// root), as long as m + d < p. At distance d the nodes that are multiples of 2d talk to m + d.

namespace fabricast {
namespace {

std::int32_t farthest(std::int32_t p) {
  return static_cast<std::int32_t>(std::bit_floor(static_cast<std::uint32_t>(p - 1)));
}

// Nodes 0, 2d, 4d, ... that have a child at distance d.
std::int32_t blocks_at(std::int32_t p, std::int32_t d) { return (p - d + 2 * d - 1) / (2 * d); }

std::string stage_name(std::int32_t d) { return "distance_" + std::to_string(d); }

}  // namespace

Schedule pat_all_gather(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::all_gather, "pat", space);
  auto schedule = empty_schedule(Collective::all_gather, "pat", space, p);
  for (std::int32_t d = farthest(p); d >= 1; d /= 2) {
    const std::int32_t blocks = blocks_at(p, d);
    const bool first = d == farthest(p);
    Phase send{action_send, Buffer::output, 0, {}, PeerMap::linear(0, -d),
               own_chunks(p, 0, blocks, 2 * d), {}};
    if (first) {
      send.action = action_copy | action_send;
      send.source = Buffer::input;
    }
    const Phase receive{recv_store, Buffer::input, 0, PeerMap::linear(0, d), {},
                        own_chunks(p, d, blocks, 2 * d), {}};
    add_stage(schedule, stage_of_phases(stage_name(d), {send, receive}));
  }
  return schedule;
}

Schedule pat_reduce_scatter(const RankSpace& space) {
  const std::int32_t p = space.size();
  if (p == 1) return local_copy(Collective::reduce_scatter, "pat", space);
  auto schedule = empty_schedule(Collective::reduce_scatter, "pat", space, p);
  schedule.scratch_chunks = p;
  if (p % 2 == 1) {
    // Node p - 1 has no child, yet is sent among blocks that hold sums already.
    Phase leaf{action_copy, Buffer::input, 0, {}, {}, own_chunks(p, p - 1), {}, Buffer::scratch};
    add_stage(schedule, stage_of("leaf", 1, leaf));
  }
  for (std::int32_t d = 1; d <= farthest(p); d *= 2) {
    const std::int32_t blocks = blocks_at(p, d);
    const Buffer operand = d == 1 ? Buffer::input : Buffer::scratch;
    const Phase send{action_send, operand, 0, {}, PeerMap::linear(0, d),
                     own_chunks(p, d, blocks, 2 * d), {}};
    const Phase receive{recv_reduce_store, operand, 0, PeerMap::linear(0, -d), {},
                        own_chunks(p, 0, blocks, 2 * d), {},
                        d == farthest(p) ? Buffer::output : Buffer::scratch};
    add_stage(schedule, stage_of_phases(stage_name(d), {send, receive}));
  }
  return schedule;
}

}  // namespace fabricast
