// A lane (semantics 2.1) as the interpreter sees it: steps with resolved connections, buffers, a cursor.
//
// Plain views over storage the executor owns, one layout for host and device. Order of a lane
// (docs/semantics.md 2.2): loops; bundles (one repetition of a stage); slices; steps of the bundle.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/schedule/step.hpp"
#include "kernels/data_type.hpp"
#include "kernels/host_device.hpp"
#include "kernels/lane/layout.hpp"

namespace fabricast::lane {

// The connections of a step, as indices of the executor's port, and what else it waits for, an
// index of the lane's dependencies; -1: none.
struct StepLinks {
  std::int32_t in = -1;
  std::int32_t out = -1;
  std::int32_t after = -1;
};

// Semantics 2.7: wait until `lane` (of the same rank and channel) has ended `stage` of this loop,
// which are its first `steps` of the `steps_per_loop` (slices counted) that it executes in a loop.
struct LaneDependency {
  std::int32_t lane = -1;  // index in the executor's list of lanes
  std::int32_t stage = 0;
  std::int64_t steps = 0;
  std::int64_t steps_per_loop = 0;

  FABRICAST_HOST_DEVICE std::uint64_t steps_before(std::int32_t loop) const {
    return static_cast<std::uint64_t>(loop * steps_per_loop + steps);
  }
};

// Where a lane stands. step == program end of the last bundle of the last loop: finished.
struct LaneCursor {
  std::int32_t loop = 0;
  std::int32_t bundle = 0;
  std::int32_t slice = 0;
  std::int32_t step = 0;
  bool finished = false;
};

struct LaneView {
  const Step* steps = nullptr;
  const StepLinks* links = nullptr;
  const LaneDependency* dependencies = nullptr;
  const std::int32_t* bundles = nullptr;  // bundle_count + 1 ascending step indices
  std::int32_t bundle_count = 0;
  std::int32_t index = 0;  // in the executor's list of lanes
  ChannelLayout layout;
  // The rank's user buffers. A short side (all_gather's input, reduce_scatter's output) holds the
  // rank's own block only: element e of the whole message is at e - shift.
  const std::byte* input = nullptr;
  std::byte* output = nullptr;
  std::int64_t input_shift = 0;
  std::int64_t output_shift = 0;
  // This channel's scratch, shared by the rank's lanes of the channel; one chunk's data at the
  // start of every scratch_chunk_bytes (and up to 15 bytes, so that remainders modulo 16 agree with
  // those of the user's buffers). scratch_loop_bytes: from one loop's scratch to the next one's; 0
  // where loops use the same.
  std::byte* scratch = nullptr;
  std::int64_t scratch_chunk_bytes = 0;
  std::int64_t scratch_loop_bytes = 0;

  // Where a part of `chunk` is in a buffer that can be written.
  FABRICAST_HOST_DEVICE std::byte* target_address(Buffer buffer, std::int32_t chunk,
                                                  const MessagePart& part, std::int32_t loop,
                                                  std::int32_t element_bytes) const {
    if (buffer == Buffer::scratch) {
      return scratch + loop * scratch_loop_bytes + chunk * scratch_chunk_bytes +
             ((part.chunk_first * element_bytes) & 15) +
             (part.within.first - part.chunk_first) * element_bytes;
    }
    return output + (part.base + part.within.first - output_shift) * element_bytes;
  }
  FABRICAST_HOST_DEVICE const std::byte* source_address(Buffer buffer, std::int32_t chunk,
                                                        const MessagePart& part, std::int32_t loop,
                                                        std::int32_t element_bytes) const {
    if (buffer != Buffer::input) return target_address(buffer, chunk, part, loop, element_bytes);
    return input + (part.base + part.within.first - input_shift) * element_bytes;
  }

  // The first valid position at or after `at`.
  FABRICAST_HOST_DEVICE LaneCursor settled(LaneCursor at) const {
    while (!at.finished && (at.bundle >= bundle_count || at.step >= bundles[at.bundle + 1])) {
      if (at.bundle < bundle_count && ++at.slice < layout.slices) {
        at.step = bundles[at.bundle];
        if (at.step == bundles[at.bundle + 1]) at.slice = layout.slices;  // empty bundle
        continue;
      }
      at.slice = 0;
      if (++at.bundle < bundle_count) {
        at.step = bundles[at.bundle];
        continue;
      }
      at.bundle = 0;
      at.step = bundle_count > 0 ? bundles[0] : 0;
      at.finished = ++at.loop >= layout.loops || bundle_count <= 0;
    }
    return at;
  }
  FABRICAST_HOST_DEVICE LaneCursor start() const {
    LaneCursor at;
    at.step = bundle_count > 0 ? bundles[0] : 0;
    return settled(at);
  }
  FABRICAST_HOST_DEVICE LaneCursor after(LaneCursor at) const {
    ++at.step;
    return settled(at);
  }
};

// What all lanes of a run share.
struct RunData {
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  std::int32_t element_bytes = 4;
};

}  // namespace fabricast::lane
