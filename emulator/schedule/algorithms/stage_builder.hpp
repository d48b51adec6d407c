// Shorthand for the builders: single-phase stages and ring-shaped chunk maps.
#pragma once

#include <string>
#include <utility>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// A stage of one phase executed by every position.
inline Stage stage_of(std::string name, std::int32_t repeat, Phase phase) {
  return {std::move(name), repeat, {PhaseGroup{StageOrder::rounds, {std::move(phase)}}}};
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

inline constexpr std::uint8_t recv_store = action_recv | action_copy;
inline constexpr std::uint8_t recv_forward = action_recv | action_copy | action_send;
inline constexpr std::uint8_t recv_reduce_store = action_recv | action_reduce | action_copy;
inline constexpr std::uint8_t recv_reduce_send = action_recv | action_reduce | action_send;
inline constexpr std::uint8_t recv_reduce_forward =
    action_recv | action_reduce | action_copy | action_send;

// One position: nothing to communicate, the input is the result.
inline Schedule local_copy(Collective collective, std::string algorithm, const RankSpace& space) {
  Schedule schedule;
  schedule.collective = collective;
  schedule.algorithm = std::move(algorithm);
  schedule.space = space;
  schedule.stages.push_back(stage_of("local_copy", 1, Phase{action_copy, false, 0, {}, {}, {}, {}}));
  return schedule;
}

}  // namespace fabricast
