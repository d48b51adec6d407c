#include "bench/harness/moved_bytes.hpp"

#include <algorithm>
#include <vector>

#include "kernels/lane/line_format.hpp"
#include "kernels/lane/move_message.hpp"

namespace fabricast {
namespace {

struct FifoUse {
  std::int64_t messages = 0;
  std::int64_t largest = 0;  // bytes in a slot
};

// Of one chunk. Each starts lines of its own, with the padding that aligns it.
std::int64_t bytes_in_slot(HandOff hand_off, std::int64_t first_byte, std::int64_t bytes) {
  switch (hand_off) {
    case HandOff::simple:
      return bytes;
    case HandOff::ll:
      return lane::LlFormat::wire_bytes(lane::lead_of<lane::LlFormat>(first_byte) + bytes);
    case HandOff::ll128:
      return lane::Ll128Format::wire_bytes(lane::lead_of<lane::Ll128Format>(first_byte) + bytes);
  }
  return bytes;
}

}  // namespace

MovedBytes moved_bytes(const lane::ProgramImage& image) {
  MovedBytes moved;
  std::vector<FifoUse> fifos(static_cast<std::size_t>(image.fifos));
  // Nothing is read there; addresses only tell what is the same place.
  std::byte* const somewhere = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 20);
  for (std::size_t l = 0; l < image.lanes.size(); ++l) {
    const lane::LaneView view = lane::view_of(image, l, somewhere);
    for (lane::LaneCursor at = view.start(); !at.finished; at = view.after(at)) {
      const Step step = view.steps[at.step];
      if (step.action == action_none) continue;
      const bool receives = (step.action & action_recv) != 0,
                 sends = (step.action & action_send) != 0;
      const bool reduces = (step.action & action_reduce) != 0;
      std::int64_t in_slot = 0;
      for (std::int32_t c = 0; c < step.chunk_count; ++c) {
        const lane::ChunkMove move = lane::chunk_move(view, at, step, c, image.data);
        const std::int64_t bytes = move.count * image.data.element_bytes;
        in_slot += bytes_in_slot(image.hand_off, move.first_byte, bytes);
        const bool in_place = !reduces && !receives && move.operand == move.stored;
        if (move.operand != nullptr && (sends || !in_place)) moved.buffers.loaded += bytes;
        // The target is the other operand.
        if (reduces && !receives) moved.buffers.loaded += bytes;
        if (move.stored != nullptr && !in_place) moved.buffers.stored += bytes;
      }
      if (receives) moved.slots.loaded += in_slot;
      if (!sends) continue;
      moved.slots.stored += in_slot;
      FifoUse& fifo = fifos[static_cast<std::size_t>(view.links[at.step].out)];
      ++fifo.messages;
      fifo.largest = std::max(fifo.largest, in_slot);
    }
  }
  for (const auto& buffers : image.buffers) moved.buffers.touched += buffers.allocation_bytes;
  for (const FifoUse& fifo : fifos) {
    moved.slots.touched += std::min<std::int64_t>(fifo.messages, image.depth) * fifo.largest;
  }
  return moved;
}

}  // namespace fabricast
