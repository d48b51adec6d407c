// Shorthand for the builders: single-phase stages and common chunk maps.
#pragma once

#include <string>
#include <utility>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// A stage of one phase.
inline Stage stage_of(std::string name, std::int32_t repeat, Phase phase) {
  return {std::move(name), repeat, {PhaseGroup{StageOrder::rounds, {std::move(phase)}}}};
}
// A stage of several phases, in the order in which a lane executes them.
inline Stage stage_of_phases(std::string name, std::vector<Phase> phases,
                             StageOrder order = StageOrder::rounds) {
  return {std::move(name), 1, {PhaseGroup{order, std::move(phases)}}};
}

// Drops stages that never run (p = 2 has no middle steps).
inline void add_stage(Schedule& schedule, Stage stage) {
  if (stage.repeat > 0) schedule.stages.push_back(std::move(stage));
}

// chunk(x, k) = (coordinate(x) - k + b) mod modulus, scaled by weight: what a ring moves.
inline ChunkMap::Term ring_term(std::int32_t digit, std::int32_t modulus, std::int32_t b,
                                std::int32_t weight = 1) {
  return {weight, digit, 1, -1, b, modulus};
}
// The same without k.
inline ChunkMap::Term fixed_term(std::int32_t digit, std::int32_t modulus, std::int32_t b,
                                 std::int32_t weight = 1) {
  return {weight, digit, 1, 0, b, modulus};
}
// Chunks x + b, x + b + stride, ... modulo p.
inline ChunkMap own_chunks(std::int32_t p, std::int32_t b, std::int32_t count = 1,
                           std::int32_t stride = 1) {
  return {{fixed_term(-1, p, b), {}}, count, stride};
}
// Chunk k of `chunks`, wherever one is: what pipelines over chunks move.
inline ChunkMap kth_chunk(std::int32_t chunks) {
  return {{ChunkMap::Term{1, -1, 0, 1, 0, chunks}, {}}};
}
// Chunks 0 .. count-1.
inline ChunkMap first_chunks(std::int32_t count) { return {{}, count}; }

inline constexpr std::uint8_t recv_store = action_recv | action_copy;
inline constexpr std::uint8_t recv_forward = action_recv | action_copy | action_send;
inline constexpr std::uint8_t recv_reduce_store = action_recv | action_reduce | action_copy;
inline constexpr std::uint8_t recv_reduce_send = action_recv | action_reduce | action_send;
inline constexpr std::uint8_t recv_reduce_forward =
    action_recv | action_reduce | action_copy | action_send;

inline Schedule empty_schedule(Collective collective, std::string algorithm, const RankSpace& space,
                               std::int32_t chunks) {
  Schedule schedule;
  schedule.collective = collective;
  schedule.algorithm = std::move(algorithm);
  schedule.space = space;
  schedule.chunks = chunks;
  return schedule;
}

// One position: nothing to communicate, the input is the result.
inline Schedule local_copy(Collective collective, std::string algorithm, const RankSpace& space) {
  auto schedule = empty_schedule(collective, std::move(algorithm), space, 1);
  Phase copy;
  copy.action = action_copy;
  schedule.stages.push_back(stage_of("local_copy", 1, copy));
  return schedule;
}

}  // namespace fabricast
