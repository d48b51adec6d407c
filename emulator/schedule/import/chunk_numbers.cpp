#include "emulator/schedule/import/chunk_numbers.hpp"

namespace fabricast {
namespace {

std::int32_t chunks_per_rank(const FileProgram& program) {
  return program.chunks / static_cast<std::int32_t>(program.ranks.size());
}

bool holds_own_block(Collective collective, Buffer buffer) {
  return buffer == Buffer::input ? input_is_own_block(collective) : output_is_own_block(collective);
}

}  // namespace

std::int32_t chunks_of_buffer(const FileProgram& program, Buffer buffer, std::int32_t rank) {
  if (buffer == Buffer::scratch) {
    return program.ranks[static_cast<std::size_t>(rank)].scratch_chunks;
  }
  return holds_own_block(program.collective, buffer) ? chunks_per_rank(program) : program.chunks;
}

ChunkPlace chunk_number(const FileProgram& program, Buffer buffer, std::int32_t chunk,
                        std::int32_t rank) {
  if (buffer == Buffer::scratch) return {buffer, chunk};
  if (holds_own_block(program.collective, buffer)) chunk += rank * chunks_per_rank(program);
  if (!program.in_place || buffer == Buffer::output) return {buffer, chunk};
  const bool foreign =
      output_is_own_block(program.collective) && chunk / chunks_per_rank(program) != rank;
  return {foreign ? Buffer::input : Buffer::output, chunk};
}

}  // namespace fabricast
