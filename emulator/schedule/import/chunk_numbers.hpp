// A file's chunk numbers (counted in each buffer of each rank) against a schedule's (one numbering
// of the whole message for all ranks).
//
// k = chunks per rank block. A buffer that holds only the rank's own block (all_gather's input,
// reduce_scatter's output) starts at rank * k of the schedule's numbers. In place, input and output
// are one buffer, which the schedule calls the output; of reduce_scatter and scatter only the own
// block is, the rest stays input. O(1). Pure functions.
#pragma once

#include <cstdint>

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

struct ChunkPlace {
  Buffer buffer = Buffer::output;
  std::int32_t chunk = 0;
};

// Chunks of a rank's buffer in the file; scratch as the rank declares it.
std::int32_t chunks_of_buffer(const FileProgram& program, Buffer buffer, std::int32_t rank);

// The schedule's place of a chunk of the file; it must exist.
ChunkPlace chunk_number(const FileProgram& program, Buffer buffer, std::int32_t chunk,
                        std::int32_t rank);

}  // namespace fabricast
