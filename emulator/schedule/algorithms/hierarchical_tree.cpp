#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/level_tree.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

// Lanes: one reduces, in the domain's ring and then up the tree; one takes the result down; one
// gathers in the domain's ring, over connections of its own.

namespace fabricast {
namespace {

constexpr std::uint8_t reduce_role = 0;
constexpr std::uint8_t down_role = 1;
constexpr std::uint8_t gather_role = 2;

PeerMap inside(std::int32_t shift, std::uint8_t fifo) {
  PeerMap map = PeerMap::on_digit(member_digit, 0, shift);
  map.fifo = fifo;
  return map;
}

}  // namespace

Schedule hierarchical_tree_all_reduce(const RankSpace& ranks, std::int32_t pieces, bool mirrored) {
  const std::int32_t l = ranks.domain_size(), domains = ranks.domains();
  FABRICAST_EXPECT(l >= 2 && domains >= 2 && pieces >= 1, "domains, and a tree between them");
  const RankSpace space{domains, l};
  auto schedule = empty_schedule(Collective::all_reduce, "hierarchical_tree", space, l * pieces);
  schedule.roles = 3;
  // All pieces of the member `offset` further on, the one before it in the next repetition.
  const auto block = [&](std::int32_t offset) {
    return ChunkMap{{ring_term(member_digit, l, offset, pieces), {}}, pieces};
  };
  const PeerMap scatter_next = inside(1, 0), scatter_previous = inside(-1, 0);
  const PeerMap gather_next = inside(1, 1), gather_previous = inside(-1, 1);

  add_stage(schedule,
            stage_of("domain_scatter_send", 1,
                     {action_send, Buffer::input, reduce_role, {}, scatter_next, block(-1), {}}));
  add_stage(schedule, stage_of("domain_reduce_scatter", l - 2,
                               {recv_reduce_send,
                                Buffer::input,
                                reduce_role,
                                scatter_previous,
                                scatter_next,
                                block(-2),
                                {}}));
  add_stage(schedule, stage_of("domain_scatter_reduce", 1,
                               {recv_reduce_store,
                                Buffer::input,
                                reduce_role,
                                scatter_previous,
                                {},
                                block(-l),
                                {},
                                Buffer::output}));

  const ChunkMap piece{
      {fixed_term(member_digit, l, 0, pieces), ChunkMap::Term{1, -1, 0, 1, 0, pieces}}};
  PhaseGroup up{StageOrder::dataflow, {}}, down{StageOrder::dataflow, {}};
  for (const LevelTreePhases& shape : LevelTreePhases::of_all_shapes(domains, mirrored)) {
    shape.add_up(up.phases, reduce_role, piece);
    shape.add_down(down.phases, down_role, piece);
  }
  const auto tree = static_cast<std::int32_t>(schedule.stages.size());
  schedule.stages.push_back({"across_tree", pieces, {std::move(up), std::move(down)}});

  Phase first{action_send, Buffer::output, gather_role, {}, gather_next, block(0), {}};
  first.after = lanes_with_result(space, mirrored, reduce_role, down_role, tree);
  add_stage(schedule, stage_of("domain_gather_send", 1, std::move(first)));
  add_stage(
      schedule,
      stage_of(
          "domain_all_gather", l - 2,
          {recv_forward, Buffer::input, gather_role, gather_previous, gather_next, block(-1), {}}));
  add_stage(
      schedule,
      stage_of("domain_gather_receive", 1,
               {recv_store, Buffer::input, gather_role, gather_previous, {}, block(-(l - 1)), {}}));
  return schedule;
}

}  // namespace fabricast
