// Pieces of algorithms that work inside domains and across them: rings among equal local indices.
//
// Chunk d0 * N + d1 belongs to local index d0 of domain d1 (Schedule::transposed_chunks): all
// chunks of one local index are contiguous, so that inside a domain a step moves N chunks as one
// message.
#pragma once

#include <string>

#include "emulator/schedule/algorithms/stage_builder.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

Schedule two_level_schedule(Collective collective, std::string algorithm, const RankSpace& space);

// All N chunks of local index d0 + offset - t0 - k.
ChunkMap local_block(const RankSpace& space, std::int32_t offset, std::int32_t t0);
// The N chunks of local index d0, whatever k.
ChunkMap own_block(const RankSpace& space);

// Ring all-reduce across domains of what each rank holds of its own block in the output.
void add_across_all_reduce(Schedule& schedule, std::uint8_t role);
// Ring all-gather across domains of the own chunk; starts from the input.
void add_across_all_gather(Schedule& schedule, std::uint8_t role);
// Ring reduce-scatter across domains of the own block in scratch, into the output.
void add_across_reduce_scatter(Schedule& schedule, std::uint8_t role);

}  // namespace fabricast
