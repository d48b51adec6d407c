// What the interpreter loads and stores of one device's memory in a run: what a plain copy with as
// many CTAs has to move, too, to be a fair measure of it (bench/gpu/interpreter_bench.cpp).
//
// Counted step by step as kernels/lane/move_message.hpp moves them: a send loads its operand and
// stores it into a slot, a receive loads the slot; messages of LL and LL128 with their flags (2 x
// and 16/15 x the data). Not counted: counters, steps, looks for a message that is not there yet,
// and the second look of those kernels that wait for a whole message first.
#pragma once

#include <cstdint>

#include "kernels/lane/image.hpp"

namespace fabricast {

struct MovedBytes {
  std::int64_t loaded = 0;
  std::int64_t stored = 0;
  // Different bytes among them, at most: the ranks' buffers, and of every FIFO the slots that are
  // used.
  std::int64_t touched = 0;
};

// Of a run of all ranks of `image`. O(messages).
MovedBytes moved_bytes(const lane::ProgramImage& image);

}  // namespace fabricast
