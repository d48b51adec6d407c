// What an algorithm file of another program says, in that file's own numbers: per rank thread
// blocks of steps over the buffers input, output and scratch, cut into equal chunks. Readers
// (msccl_xml, mscclpp_json) fill it; to_schedule() turns it into a Schedule of tables.
//
// Thread blocks become roles, so that one may wait for a step of another; parallel connections of
// a pair of ranks (MSCCL's channels) become FIFOs. Values only; not thread safe while built.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct FileStep {
  std::uint8_t action = action_none;  // Action bits
  Buffer source = Buffer::input;      // of the operand
  Buffer target = Buffer::output;     // of a copy
  std::int32_t source_chunk = 0;      // in that buffer of this rank
  std::int32_t target_chunk = 0;
  std::int32_t count = 0;  // chunks
  std::int32_t peer_in = -1;
  std::int32_t peer_out = -1;
  std::int32_t fifo = 0;          // which connection of the pair
  std::int32_t after_block = -1;  // index in the rank's blocks; -1: waits for nobody
  std::int32_t after_step = 0;    // index in that block's steps: waits for its end
  std::int32_t line = 0;          // of the file, for messages
};

struct FileBlock {
  std::int64_t id = 0;
  std::int32_t line = 0;
  std::vector<FileStep> steps;
};

struct FileRank {
  std::int32_t scratch_chunks = 0;
  std::int32_t line = 0;
  std::vector<FileBlock> blocks;
};

struct FileProgram {
  std::string file;
  std::string name;
  Collective collective{};
  bool in_place = false;    // input and output are one buffer, by NCCL's rules
  std::int32_t chunks = 0;  // of the larger of a rank's buffers
  std::int32_t line = 0;    // of what gives the chunks
  std::vector<FileRank> ranks;
};

// A schedule with what its file says besides.
struct ImportedSchedule {
  std::shared_ptr<const Schedule> schedule;
  std::string format;           // "MSCCL XML", "MSCCL++ JSON"
  std::string protocol;         // as in the file
  std::string reduction;        // as in the file; empty: not said
  std::int64_t min_bytes = 0;   // range the file was made for
  std::int64_t max_bytes = -1;  // -1: no bound
  bool in_place = false, out_of_place = false;
  std::int32_t channels = 0;       // used by at least one step
  std::vector<std::string> notes;  // what was read past, for people
};

// "FILE:LINE: problem" as a UsageError.
[[noreturn]] void refuse_file(const std::string& file, std::int32_t line,
                              const std::string& problem);

// Chunk counts fit the collective, buffers are big enough, nobody writes the user's input, a
// connection has one thread block at each end and as many messages in as out, of equal size, waits
// name earlier steps. UsageError "file:line: ..." otherwise. O(steps).
void check_program(const FileProgram& program);

// Tables by rank: one stage per step index, one role per thread block. Checks first; in-place
// programs whose output is one block get a copy of it at the start (own_block.hpp).
// O(steps * ranks) memory.
Schedule to_schedule(FileProgram program);

}  // namespace fabricast
