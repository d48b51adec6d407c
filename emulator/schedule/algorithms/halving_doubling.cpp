#include <bit>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

std::int32_t hypercube(std::int32_t p) {
  return static_cast<std::int32_t>(std::bit_floor(static_cast<std::uint32_t>(p)));
}

// The `span` chunks around position x that are aligned to their size: its own half of a range of
// 2 * span, or (mirrored) the half of its partner x xor span.
ChunkMap own_range(std::int32_t q, std::int32_t span, bool partner) {
  const ChunkMap::Term range{2 * span, -1, 1, 0, 0, q, 2 * span};
  const ChunkMap::Term half{span, -1, 1, 0, partner ? span : 0, 2, span};
  return {{range, half}, span};
}

// Positions q .. p-1 hand their input to position x - q.
void add_fold_in(Schedule& schedule, std::int32_t p, std::int32_t q, const ChunkMap& all) {
  if (p == q) return;
  add_stage(schedule,
            stage_of_phases("fold_in", {{action_send, Buffer::input, 0, {}, PeerMap::linear(0, -q),
                                         all, Active::range(q, p)},
                                        {recv_reduce_store, Buffer::input, 0,
                                         PeerMap::linear(0, q), {}, all, Active::range(0, p - q)}}));
}

void add_fold_out(Schedule& schedule, std::int32_t p, std::int32_t q, const ChunkMap& all) {
  if (p == q) return;
  add_stage(schedule, stage_of_phases(
                          "fold_out", {{action_send, Buffer::output, 0, {}, PeerMap::linear(0, q),
                                        all, Active::range(0, p - q)},
                                       {recv_store, Buffer::input, 0, PeerMap::linear(0, -q), {},
                                        all, Active::range(q, p)}}));
}

// Exchange with x xor mask: send `sent`, reduce into `kept`. In the first round the operand is the
// input, except where the fold-in has left a sum in the output.
void add_reducing_exchange(Schedule& schedule, std::int32_t p, std::int32_t q, std::int32_t mask,
                           bool first, const ChunkMap& sent, const ChunkMap& kept) {
  const PeerMap partner = PeerMap::exclusive(mask);
  const auto phases = [&](Buffer operand, const Active& active) {
    return std::vector<Phase>{
        {action_send, operand, 0, {}, partner, sent, active},
        {recv_reduce_store, operand, 0, partner, {}, kept, active}};
  };
  const std::int32_t folded = first ? p - q : q;
  std::vector<Phase> all;
  if (folded > 0) all = phases(Buffer::output, Active::range(0, folded));
  if (folded < q) {
    for (auto& phase : phases(Buffer::input, Active::range(folded, q))) all.push_back(phase);
  }
  add_stage(schedule, stage_of_phases("exchange_" + std::to_string(mask), std::move(all)));
}

}  // namespace

Schedule halving_doubling_all_reduce(const RankSpace& space) {
  const std::int32_t p = space.size();
  const std::int32_t q = hypercube(p);
  if (p == 1) return local_copy(Collective::all_reduce, "halving_doubling", space);
  auto schedule = empty_schedule(Collective::all_reduce, "halving_doubling", space, q);
  const ChunkMap all = first_chunks(q);
  add_fold_in(schedule, p, q, all);
  for (std::int32_t span = q / 2; span >= 1; span /= 2) {
    add_reducing_exchange(schedule, p, q, span, span == q / 2, own_range(q, span, true),
                          own_range(q, span, false));
  }
  for (std::int32_t span = 1; span < q; span *= 2) {
    const PeerMap partner = PeerMap::exclusive(span);
    const Active active = Active::range(0, q);
    add_stage(schedule, stage_of_phases(
                            "gather_" + std::to_string(span),
                            {{action_send, Buffer::output, 0, {}, partner,
                              own_range(q, span, false), active},
                             {recv_store, Buffer::input, 0, partner, {}, own_range(q, span, true),
                              active}}));
  }
  add_fold_out(schedule, p, q, all);
  return schedule;
}

Schedule doubling_all_reduce(const RankSpace& space) {
  const std::int32_t p = space.size();
  const std::int32_t q = hypercube(p);
  if (p == 1) return local_copy(Collective::all_reduce, "doubling", space);
  auto schedule = empty_schedule(Collective::all_reduce, "doubling", space, 1);
  const ChunkMap all = first_chunks(1);
  add_fold_in(schedule, p, q, all);
  for (std::int32_t mask = 1; mask < q; mask *= 2) {
    add_reducing_exchange(schedule, p, q, mask, mask == 1, all, all);
  }
  add_fold_out(schedule, p, q, all);
  return schedule;
}

}  // namespace fabricast
