#include "emulator/schedule/import/file_program.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/import/chunk_numbers.hpp"
#include "emulator/schedule/import/chunk_places.hpp"
#include "emulator/schedule/import/own_block.hpp"

namespace fabricast {
namespace {

// Steps of one stage that become one phase: equal in everything that a phase says once.
using PhaseKey = std::tuple<std::int32_t, std::uint8_t, Buffer, Buffer, std::int32_t, std::int32_t>;

// 28 bytes each while a stage is made: below a GiB. Rings of 1,024 ranks have some million.
constexpr std::size_t most_table_entries = std::size_t{1} << 25;

// Tables by position of one phase.
struct PhaseTables {
  explicit PhaseTables(std::size_t p)
      : in(p, -1), out(p, -1), source(p, 0), target(p, 0), active(p, 0), after(2 * p, -1) {}
  std::vector<std::int32_t> in, out, source, target, active, after;
  bool waits = false;
};

void enter(PhaseTables& tables, std::size_t rank, const FileStep& step, std::int32_t source,
           std::int32_t target) {
  tables.in[rank] = step.peer_in;
  tables.out[rank] = step.peer_out;
  tables.source[rank] = source;
  tables.target[rank] = target;
  tables.active[rank] = 1;
  if (step.after_block < 0) return;
  tables.waits = true;
  tables.after[2 * rank] = step.after_block;
  tables.after[2 * rank + 1] = step.after_step;
}

Phase phase_of(const PhaseKey& key, PhaseTables&& tables) {
  const auto& [role, action, source, target, count, fifo] = key;
  const auto label = static_cast<std::uint8_t>(fifo);
  Phase phase;
  phase.action = action;
  phase.role = static_cast<std::uint8_t>(role);
  phase.source = source;
  phase.target = target;
  if ((action & action_recv) != 0) {
    phase.peer_in = PeerMap::from_table(MapTable(std::move(tables.in)), label);
  }
  if ((action & action_send) != 0) {
    phase.peer_out = PeerMap::from_table(MapTable(std::move(tables.out)), label);
  }
  const bool elsewhere = tables.target != tables.source;
  phase.chunk = ChunkMap::from_table(MapTable(std::move(tables.source)), count);
  if ((action & action_copy) != 0 && elsewhere) {
    phase.target_chunk = ChunkMap::from_table(MapTable(std::move(tables.target)), count);
  }
  phase.active = Active::from_table(MapTable(std::move(tables.active)));
  if (tables.waits) phase.after = MapTable(std::move(tables.after));
  return phase;
}

struct OpenBlock {
  std::size_t rank, block;
};

// `open`: the blocks that have a step of that index. `entries` counts those of all tables.
Stage stage_of_index(const FileProgram& program, const std::vector<OpenBlock>& open,
                     std::size_t index, std::size_t& entries) {
  std::map<PhaseKey, PhaseTables> phases;
  for (const auto [r, b] : open) {
    const FileStep& step = program.ranks[r].blocks[b].steps[index];
    const bool copies = (step.action & action_copy) != 0;
    const auto rank = static_cast<std::int32_t>(r);
    auto source = chunk_number(program, step.source, step.source_chunk, rank);
    const auto target =
        copies ? chunk_number(program, step.target, step.target_chunk, rank) : source;
    // A plain receive has no operand; its place in the target also says how large it is.
    const bool operand = (step.action & (action_recv | action_reduce)) != action_recv;
    if (!operand) source = target;
    const PhaseKey key{static_cast<std::int32_t>(b),
                       step.action,
                       source.buffer,
                       copies ? target.buffer : Buffer::output,
                       std::max(step.count, 1),
                       step.fifo};
    const auto [at, added] = phases.try_emplace(key, program.ranks.size());
    if (added) entries += program.ranks.size();
    if (entries > most_table_entries) {
      refuse_file(program.file, step.line,
                  fmt::format("the tables of {} ranks for the steps up to here are too large (at "
                              "most {} entries) give a smaller algorithm",
                              program.ranks.size(), most_table_entries));
    }
    enter(at->second, r, step, source.chunk, target.chunk);
  }
  Stage stage{fmt::format("step_{}", index), 1, {PhaseGroup{StageOrder::dataflow, {}}}};
  for (auto& [key, tables] : phases) {
    stage.groups[0].phases.push_back(phase_of(key, std::move(tables)));
  }
  return stage;
}

}  // namespace

void refuse_file(const std::string& file, std::int32_t line, const std::string& problem) {
  throw UsageError(fmt::format("{}:{}: {}", file, line, problem));
}

Schedule to_schedule(FileProgram program) {
  check_program(program);
  copy_own_blocks(program);
  const auto ranks = static_cast<std::int32_t>(program.ranks.size());
  Schedule schedule;
  schedule.collective = program.collective;
  schedule.algorithm = program.name.empty() ? "imported" : program.name;
  schedule.space = RankSpace{ranks};
  schedule.chunks = program.chunks;
  schedule.roles = 1;
  schedule.starts_in_output = program.in_place;
  schedule.moves_chunks = moves_chunks(program);
  if (has_rank_blocks(program.collective)) schedule.block_parts = program.chunks / ranks;
  std::size_t longest = 0;
  for (const FileRank& rank : program.ranks) {
    schedule.roles = std::max(schedule.roles, static_cast<std::int32_t>(rank.blocks.size()));
    schedule.scratch_chunks = std::max(schedule.scratch_chunks, rank.scratch_chunks);
    for (const FileBlock& block : rank.blocks) longest = std::max(longest, block.steps.size());
  }
  std::vector<OpenBlock> open;
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    for (std::size_t b = 0; b < program.ranks[r].blocks.size(); ++b) open.push_back({r, b});
  }
  std::size_t entries = 0;
  for (std::size_t index = 0; index < longest; ++index) {
    std::erase_if(open, [&](const OpenBlock& at) {
      return program.ranks[at.rank].blocks[at.block].steps.size() <= index;
    });
    schedule.stages.push_back(stage_of_index(program, open, index, entries));
  }
  return schedule;
}

}  // namespace fabricast
