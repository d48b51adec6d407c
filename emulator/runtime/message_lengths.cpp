#include "emulator/runtime/message_lengths.hpp"

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

void MessageLengths::count(End& end, std::uint64_t shape) {
  end.print += random_bits(shape, end.messages, 0);
  ++end.messages;
}

void MessageLengths::add(const lane::LaneImage& lane, const lane::ChannelLayout& layout,
                         std::int32_t element_bytes) {
  lane::LaneView order;  // for its walk over the program only
  order.bundles = lane.bundles.data();
  order.bundle_count = static_cast<std::int32_t>(lane.bundles.size()) - 1;
  order.layout = layout;
  for (auto at = order.start(); !at.finished; at = order.after(at)) {
    const auto step = lane.steps[static_cast<std::size_t>(at.step)];
    const auto links = lane.links[static_cast<std::size_t>(at.step)];
    if (links.in < 0 && links.out < 0) continue;
    std::uint64_t shape = 0;
    std::int64_t cursor = 0;
    for (std::int32_t i = 0; i < step.chunk_count; ++i) {
      const std::int32_t chunk =
          layout.listed(static_cast<std::int32_t>(step.source_chunk), i, step.stride_log2,
                        step.source_buffer() == Buffer::scratch);
      const auto part = lane::message_part(layout, at.loop, chunk, at.slice).within;
      const auto offset = lane::slot_offset(cursor, layout.packed ? 0 : part.first * element_bytes);
      cursor = offset + part.count * element_bytes;
      shape = random_bits(shape, static_cast<std::uint64_t>(offset),
                          static_cast<std::uint64_t>(part.count));
    }
    if (links.in >= 0) count(received_[static_cast<std::size_t>(links.in)], shape);
    if (links.out >= 0) count(sent_[static_cast<std::size_t>(links.out)], shape);
  }
}

}  // namespace fabricast
