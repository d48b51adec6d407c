// Which put is announced by which signal, and received by which wait, of an MSCCL++ plan.
//
// Signals and waits of a channel are counted: the n-th wait belongs to the n-th signal, and takes
// the puts that its thread block made to that rank since its last signal there. Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

// One of the channels between two ranks, seen from both ends: (from, to, number).
using ChannelKey = std::tuple<std::int32_t, std::int32_t, std::int32_t>;

struct PutTarget {
  Buffer buffer = Buffer::output;  // of the receiving rank
  std::int32_t chunk = 0, count = 0;
};

// What a thread block of the file does, with waits not yet resolved.
struct PlanOp {
  enum class Kind : std::uint8_t { step, put, signal, wait, barrier };
  Kind kind = Kind::step;
  FileStep step;             // step, put
  PutTarget target;          // put
  ChannelKey channel{};      // signal, wait
  std::int64_t barrier = 0;  // barrier
  std::int64_t members = 0;
};

struct PlanBlock {
  std::int64_t id = 0;
  std::int32_t line = 0;
  std::vector<PlanOp> ops;
};

// Fills program.ranks[r].blocks; returns how many signals announced nothing.
std::int32_t link_plan(const std::vector<std::vector<PlanBlock>>& ranks, FileProgram& program);

}  // namespace fabricast
