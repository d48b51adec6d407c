#include "tests/conformance/hand_made.hpp"

#include <memory>
#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast::conformance {
namespace {

// Chunk `number`, wherever one is.
ChunkMap constant(std::int32_t number, std::int32_t chunks) {
  return {{ChunkMap::Term{1, -1, 0, 0, number, chunks}, {}}};
}

MapTable same_for_all(std::int32_t p, std::int32_t role, std::int32_t stage) {
  std::vector<std::int32_t> values;
  for (std::int32_t x = 0; x < p; ++x) values.insert(values.end(), {role, stage});
  return MapTable(std::move(values));
}

MapTable shifted_ranks(std::int32_t p, std::int32_t shift) {
  std::vector<std::int32_t> values;
  for (std::int32_t x = 0; x < p; ++x) values.push_back((x + shift + p) % p);
  return MapTable(std::move(values));
}

}  // namespace

Schedule all_pairs_all_reduce(std::int32_t p) {
  auto schedule = empty_schedule(Collective::all_reduce, "all_pairs", RankSpace{p}, p);
  schedule.roles = 4;
  schedule.scratch_chunks = p - 1;
  std::vector<Phase> scatter, add, spread;
  for (std::int32_t i = 1; i < p; ++i) {
    scatter.push_back(
        {action_send, Buffer::input, 0, {}, PeerMap::linear(0, i), ChunkMap::of_peer_out(), {}});
    Phase receive{recv_store, Buffer::input,    1,  PeerMap::linear(0, -i),
                  {},         own_chunks(p, 0), {}, Buffer::scratch};
    receive.target_chunk = constant(i - 1, p);
    scatter.push_back(receive);
  }
  Phase wait;
  wait.role = 2;
  wait.after = same_for_all(p, 1, 0);
  add.push_back(wait);
  add.push_back({action_copy, Buffer::input, 2, {}, {}, own_chunks(p, 0), {}});
  for (std::int32_t i = 1; i < p; ++i) {
    Phase sum{action_reduce | action_copy, Buffer::scratch, 2, {}, {}, constant(i - 1, p), {}};
    sum.target_chunk = own_chunks(p, 0);
    add.push_back(sum);
  }
  for (std::int32_t i = 1; i < p; ++i) {
    auto to = PeerMap::linear(0, i);
    auto from = PeerMap::linear(0, -i);
    to.fifo = from.fifo = 1;
    spread.push_back({action_send, Buffer::output, 2, {}, to, own_chunks(p, 0), {}});
    spread.push_back({recv_store, Buffer::input, 3, from, {}, own_chunks(p, -i), {}});
  }
  schedule.stages = {stage_of_phases("scatter", scatter, StageOrder::dataflow),
                     stage_of_phases("add", add, StageOrder::dataflow),
                     stage_of_phases("spread", spread, StageOrder::dataflow)};
  return schedule;
}

Schedule two_part_all_gather(std::int32_t p) {
  auto schedule = empty_schedule(Collective::all_gather, "two_part", RankSpace{p}, 2 * p);
  schedule.block_parts = 2;
  schedule.roles = 4;
  std::vector<Phase> phases;
  for (std::uint8_t part = 0; part < 2; ++part) {
    const auto part_of = [&](std::int32_t shift) {
      return ChunkMap{
          {ChunkMap::Term{2, -1, 1, 0, shift, p}, ChunkMap::Term{1, -1, 0, 0, part, 2}}};
    };
    phases.push_back({action_copy, Buffer::input, part, {}, {}, part_of(0), {}});
    for (std::int32_t i = 1; i < p; ++i) {
      phases.push_back({action_send,
                        Buffer::input,
                        part,
                        {},
                        PeerMap::from_table(shifted_ranks(p, i), part),
                        part_of(0),
                        {}});
      phases.push_back({recv_store,
                        Buffer::input,
                        static_cast<std::uint8_t>(2 + part),
                        PeerMap::from_table(shifted_ranks(p, -i), part),
                        {},
                        part_of(-i),
                        {}});
    }
  }
  schedule.stages = {stage_of_phases("all", phases, StageOrder::dataflow)};
  return schedule;
}

Schedule ring_in_output(Collective collective, std::int32_t p) {
  auto schedule = collective == Collective::all_reduce ? ring_all_reduce(RankSpace{p})
                                                       : ring_all_gather(RankSpace{p});
  schedule.starts_in_output = true;
  for (auto& stage : schedule.stages) {
    for (auto& group : stage.groups) {
      for (auto& phase : group.phases) phase.source = Buffer::output;
    }
  }
  return schedule;
}

Schedule handed_back_broadcast() {
  auto schedule = empty_schedule(Collective::broadcast, "handed_back", RankSpace{2}, 2);
  schedule.roles = 2;
  const auto root = Active::range(0, 1), other = Active::range(1, 2);
  const auto peer = PeerMap::linear(0, 1);
  auto second = peer;
  second.fifo = 1;
  const auto copied = constant(0, 2), sent = constant(1, 2);
  const std::vector<Phase> phases{
      {action_copy, Buffer::input, 0, {}, {}, copied, root},
      {action_send, Buffer::input, 0, {}, peer, sent, root},
      {recv_forward, Buffer::input, 0, peer, peer, sent, other},
      {recv_store, Buffer::input, 1, peer, {}, sent, root},
      {action_send, Buffer::output, 1, {}, second, copied, root},
      {recv_store, Buffer::input, 1, second, {}, copied, other},
  };
  schedule.stages = {stage_of_phases("all", phases, StageOrder::dataflow)};
  return schedule;
}

Schedule looked_at_twice_reduce() {
  auto schedule = empty_schedule(Collective::reduce, "looked_at_twice", RankSpace{2}, 1);
  schedule.roles = 2;
  schedule.scratch_chunks = 1;
  const auto root = Active::range(0, 1), other = Active::range(1, 2);
  const auto peer = PeerMap::linear(0, 1);
  auto second = peer;
  second.fifo = 1;
  const auto chunk = constant(0, 1);
  Phase wait;
  wait.after = MapTable({1, 0, -1, 0});
  wait.active = root;
  Phase pass{recv_forward, Buffer::input, 0, peer, peer, chunk, root, Buffer::scratch};
  Phase back{recv_forward, Buffer::input, 0, peer, second, chunk, other, Buffer::scratch};
  const std::vector<Phase> look{{action_copy, Buffer::scratch, 1, {}, {}, chunk, root}};
  const std::vector<Phase> rest{
      wait,
      {action_send, Buffer::input, 0, {}, peer, chunk, other},
      pass,
      back,
      {recv_store, Buffer::input, 1, second, {}, chunk, root},
      {action_copy, Buffer::input, 1, {}, {}, chunk, root},
      {action_reduce | action_copy, Buffer::scratch, 1, {}, {}, chunk, root}};
  schedule.stages = {stage_of_phases("look", look, StageOrder::dataflow),
                     stage_of_phases("rest", rest, StageOrder::dataflow)};
  return schedule;
}

ExecutionPlan plan_of(Schedule schedule, const Cut& cut) {
  ExecutionPlan plan;
  plan.collective = schedule.collective;
  plan.algorithm = schedule.algorithm;
  plan.space = schedule.space;
  plan.bytes = cut.elements * cut.element_bytes;
  plan.element_bytes = cut.element_bytes;
  plan.loops = cut.loops;
  plan.slices = cut.slices;
  schedule.fifo_depth = cut.fifo_depth;
  const auto shared = std::make_shared<const Schedule>(std::move(schedule));
  for (std::int32_t c = 0; c < cut.channels; ++c) {
    plan.channels.push_back(
        {shared, Placement::rotated(shared->space, c % shared->positions(), false)});
  }
  return plan;
}

}  // namespace fabricast::conformance
