#include "emulator/schedule/import/chunk_places.hpp"

#include <map>
#include <tuple>

#include "emulator/schedule/import/chunk_numbers.hpp"

namespace fabricast {
namespace {

// Lengths of the messages of one direction of a connection, as kinds: equal kinds, equal lengths.
using Messages = std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>,
                          std::vector<std::int32_t>>;  // by from, to, fifo

}  // namespace

bool moves_chunks(const FileProgram& program) {
  const std::int32_t kinds = has_rank_blocks(program.collective)
                                 ? program.chunks / static_cast<std::int32_t>(program.ranks.size())
                                 : program.chunks;
  Messages sent, received;
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    const auto rank = static_cast<std::int32_t>(r);
    const auto kind = [&](Buffer buffer, std::int32_t chunk) {
      return chunk_number(program, buffer, chunk, rank).chunk % kinds;
    };
    for (const FileBlock& block : program.ranks[r].blocks) {
      for (const FileStep& step : block.steps) {
        if (step.action == action_none || step.count == 0) continue;
        const bool operand = (step.action & (action_recv | action_reduce)) != action_recv;
        const bool copies = (step.action & action_copy) != 0;
        const bool scratch = (operand && step.source == Buffer::scratch) ||
                             (copies && step.target == Buffer::scratch);
        if (scratch) return true;
        const std::int32_t value =
            operand ? kind(step.source, step.source_chunk) : kind(step.target, step.target_chunk);
        if (copies && kind(step.target, step.target_chunk) != value) return true;
        if ((step.action & action_recv) != 0) {
          received[{step.peer_in, rank, step.fifo}].push_back(value);
        }
        if ((step.action & action_send) != 0) {
          sent[{rank, step.peer_out, step.fifo}].push_back(value);
        }
      }
    }
  }
  return sent != received;
}

}  // namespace fabricast
