// One step of every column (position or class) of a uniform phase: the max-plus update itself.
//
//   start = max(lane, ready of the message received, credit of the slot sent into)
//   lane  = start + lane cost;  port = max(port, start) + port cost
//   ready = max(lane, port) + latency;  credit = lane + credit cost
//
// Semantics 3.1, 3.2, 3.3, 3.4, 3.5.
//
// Rows are indexed by column: `ready_in` by the sender of the message, `credit_in` by the receiver
// that returned the slot. A run is a range of columns whose peers lie at constant distances.
// An exchange is all slices of a repetition in which every sender's messages are taken by one
// receiver, on lanes of different roles: nothing waits but the receiver, for its sender.
// Pure; rows must not overlap (semantics: slots read and written in one step differ).
#pragma once

#include <cstdint>
#include <span>

#include "emulator/sim/instruction_set.hpp"

namespace fabricast {

struct ColumnRun {
  std::int32_t begin = 0;
  std::int32_t count = 0;
  std::int32_t in_delta = 0;   // sender's column - own column
  std::int32_t out_delta = 0;  // receiver's column - own column
  bool operator==(const ColumnRun&) const = default;
};

struct RowStep {
  const std::int64_t* ready_in = nullptr;
  const std::int64_t* credit_in = nullptr;
  std::int64_t* ready_out = nullptr;
  std::int64_t* credit_out = nullptr;
  std::int64_t* lane = nullptr;
  std::int64_t* port = nullptr;
  const std::int64_t* lane_cost = nullptr;
  const std::int64_t* port_cost = nullptr;
  const std::int64_t* latency = nullptr;
  const std::int64_t* credit_cost = nullptr;
};

using RowKernel = void (*)(const RowStep& step, std::span<const ColumnRun> runs);

// The kernel for a phase that receives and/or sends.
RowKernel row_kernel(InstructionSet set, bool receives, bool sends);

// Clocks and costs of an exchange: of the first slice (`_first`, of every slice in fact) and of all
// others together (`_rest`). Clocks of S slices are the largest of linear functions of the slice,
// so the first and the last one decide what the receiver waits for.
struct RowExchange {
  std::int32_t columns = 0;
  std::int64_t* lane = nullptr;
  std::int64_t* port = nullptr;
  std::int64_t* receiver = nullptr;
  std::int64_t* first_ready = nullptr;  // scratch, by sender
  std::int64_t* last_ready = nullptr;
  const std::int64_t* lane_first = nullptr;
  const std::int64_t* lane_rest = nullptr;
  const std::int64_t* port_first = nullptr;
  const std::int64_t* port_rest = nullptr;
  const std::int64_t* latency = nullptr;
  const std::int64_t* receive_first = nullptr;
  const std::int64_t* receive_rest = nullptr;
};

// Runs are of receivers; out_delta is not read. Of one slice nothing is read of `_rest` and
// last_ready.
using ExchangeKernel = void (*)(const RowExchange& step, std::span<const ColumnRun> runs);
ExchangeKernel exchange_kernel(InstructionSet set, bool several_slices);

}  // namespace fabricast
