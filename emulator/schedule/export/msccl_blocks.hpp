// One rank's lanes of a plan as MSCCL thread blocks: at most one peer to send to and one to receive
// from per block, one message per run of consecutive chunks, waits where blocks share chunks.
//
// A lane that talks to several peers becomes several blocks. They keep the lane's order only where
// two steps touch the same chunk and one writes (as msccl-tools does); chunks that are apart in
// MSCCL's numbering go one by one. O(steps). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/step.hpp"

namespace fabricast {

struct MscclStep {
  std::uint8_t action = action_none;
  Buffer source = Buffer::input, target = Buffer::output;
  std::int32_t source_chunk = 0, target_chunk = 0, count = 1;
  std::int32_t block = 0;
  std::vector<std::size_t> waits;  // numbers of steps of other blocks that must have ended
};

struct MscclBlock {
  std::int32_t send = -1, recv = -1, channel = 0;
  std::vector<std::size_t> steps;  // numbers, in order
};

struct MscclRank {
  std::vector<MscclStep> steps;
  std::vector<MscclBlock> blocks;
};

// Numbers of chunks in the file: of all channels together, per rank block, of scratch.
struct MscclChunks {
  std::int32_t all = 0, per_block = 0, scratch = 0;
  std::int32_t fifos = 1;  // MSCCL channels per channel of the plan
};
MscclChunks msccl_chunks(const ExecutionPlan& plan);

// `one_by_one`: every message is one chunk. UsageError where a step needs what MSCCL lacks.
MscclRank msccl_rank(const ExecutionPlan& plan, std::int32_t rank, bool one_by_one);

}  // namespace fabricast
