#include "emulator/schedule/import/own_block.hpp"

#include "emulator/schedule/import/chunk_numbers.hpp"

namespace fabricast {
namespace {

bool reads(const FileStep& step) {
  return step.action != action_none && (step.action & (action_recv | action_reduce)) != action_recv;
}

class RankRewriter {
 public:
  RankRewriter(const FileProgram& program, FileRank& rank, std::int32_t number)
      : program_(program),
        rank_(rank),
        number_(number),
        per_rank_(program.chunks / static_cast<std::int32_t>(program.ranks.size())) {}

  void run() {
    std::vector<bool> touches;
    bool any = false;
    for (FileBlock& block : rank_.blocks) {
      touches.push_back(rename(block));
      any = any || touches.back();
    }
    if (any) begin_with_copy(touches);
  }

 private:
  // i[rank * k + j] becomes o[j].
  bool rename(FileBlock& block) const {
    bool touched = false;
    for (FileStep& step : block.steps) {
      if (reads(step)) touched = place(step.source, step.source_chunk) || touched;
      if ((step.action & action_copy) != 0) {
        touched = place(step.target, step.target_chunk) || touched;
      }
    }
    return touched;
  }
  bool place(Buffer& buffer, std::int32_t& chunk) const {
    if (buffer == Buffer::input) {
      if (chunk_number(program_, buffer, chunk, number_).buffer == Buffer::input) return false;
      buffer = Buffer::output;
      chunk -= number_ * per_rank_;
    }
    return buffer == Buffer::output;
  }

  void begin_with_copy(const std::vector<bool>& touches) {
    std::int32_t copier = -1;
    for (std::size_t b = 0; b < touches.size(); ++b) {
      if (!touches[b]) continue;
      FileBlock& block = rank_.blocks[b];
      FileStep first;
      first.line = block.line;
      if (copier < 0) {
        copier = static_cast<std::int32_t>(b);
        first.action = action_copy;
        first.source_chunk = number_ * per_rank_;
        first.count = per_rank_;
      } else {
        first.after_block = copier;
      }
      block.steps.insert(block.steps.begin(), first);
    }
    for (FileBlock& block : rank_.blocks) {
      for (std::size_t s = 0; s < block.steps.size(); ++s) {
        FileStep& step = block.steps[s];
        const bool added =
            s == 0 && touches[static_cast<std::size_t>(&block - rank_.blocks.data())];
        if (added || step.after_block < 0) continue;
        step.after_step += touches[static_cast<std::size_t>(step.after_block)] ? 1 : 0;
      }
    }
  }

  const FileProgram& program_;
  FileRank& rank_;
  std::int32_t number_, per_rank_;
};

}  // namespace

void copy_own_blocks(FileProgram& program) {
  if (!program.in_place || !output_is_own_block(program.collective)) return;
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    // Of scatter only the root has an input.
    if (has_root(program.collective) && r > 0) continue;
    RankRewriter(program, program.ranks[r], static_cast<std::int32_t>(r)).run();
  }
  program.in_place = false;
}

}  // namespace fabricast
