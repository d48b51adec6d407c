// What the interpreter loads and stores of one device's memory in a run: what plain copies with as
// many CTAs have to move, too, to be a fair measure of it (bench/gpu/interpreter_bench.cpp). Slots
// apart from buffers: they are few, read soon after they were written, and mostly in L2, while the
// buffers of large messages come from memory.
//
// Counted step by step as kernels/lane/move_message.hpp moves them: a send loads its operand and
// stores it into a slot, a receive loads the slot; chunks of LL and LL128 in whole lines of their
// own, with padding and flags (2 x and 16/15 x the data, or more). Not counted: counters, steps,
// looks for a message that is not there yet, and the second look of those kernels that wait for a
// whole message first.
#pragma once

#include <cstdint>

#include "kernels/lane/image.hpp"

namespace fabricast {

struct Traffic {
  std::int64_t loaded = 0;
  std::int64_t stored = 0;
  std::int64_t touched = 0;  // different bytes among them, at most

  std::int64_t moved() const { return loaded + stored; }
};

struct MovedBytes {
  Traffic buffers;  // the ranks'
  Traffic slots;    // of every FIFO those that are used
};

// Of a run of all ranks of `image`. O(messages).
MovedBytes moved_bytes(const lane::ProgramImage& image);

}  // namespace fabricast
