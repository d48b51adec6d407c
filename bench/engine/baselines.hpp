// What the engines are compared with, compiled the same way and run in the same process: the
// obvious loop over one ring, and how fast this machine copies memory. Deterministic results; not
// thread safe.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/sim/instruction_set.hpp"

namespace fabricast {

// A ring of `columns` positions with random costs, `depth` slots: one array per quantity, one step
// after the other, every column in order. No blocks, no folding, no jumps.
class PlainRing {
 public:
  PlainRing(std::int32_t columns, std::int32_t depth);
  // Evaluates `steps` steps; returns the latest clock.
  std::int64_t advance(std::int64_t steps, InstructionSet set);

 private:
  std::int32_t columns_, depth_;
  std::int64_t done_ = 0;
  std::vector<std::int64_t> lane_, port_, ready_in_, ready_out_, credit_;
  std::vector<std::int64_t> lane_cost_, port_cost_, latency_, credit_cost_;
};

// Bytes read and written per second of processor time when `bytes` are copied.
double copy_bytes_per_second(std::int64_t bytes);

}  // namespace fabricast
