// Which elements a message carries, as arithmetic both host and device can do.
//
// The same split as emulator/schedule/partition.hpp (tested to be equal), restricted to one channel
// and prepared: loops, then chunks, then slices, each by even_split. Collectives with rank-sized
// blocks select the block by table instead of cutting by chunk. O(1) per query.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"

namespace fabricast::lane {

struct Range {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// Part `index` of `parts`; the first total % parts parts have one element more.
FABRICAST_HOST_DEVICE inline Range split_evenly(Range total, std::int32_t parts,
                                                std::int32_t index) {
  const std::int64_t size = total.count / parts;
  const std::int64_t larger = total.count % parts;
  const std::int64_t before = index < larger ? index : larger;
  return {total.first + index * size + before, size + (index < larger ? 1 : 0)};
}

struct ChannelLayout {
  Range share;  // this channel's part of the message, or of every block
  std::int32_t loops = 1;
  std::int32_t chunks = 1;  // parts a loop is cut into; 1 where chunks select blocks
  std::int32_t slices = 1;
  std::int64_t block = 0;  // elements per block; 0 where chunks are numbered parts
  const std::int32_t* block_of_chunk = nullptr;  // rank owning each chunk; null if block == 0
};

// `within` is relative to the chunk's block (the whole message if there are none): sender and
// receiver agree on it even where their blocks differ. base + within.first is the element.
struct MessagePart {
  Range within;
  std::int64_t base = 0;
};

FABRICAST_HOST_DEVICE inline MessagePart message_part(const ChannelLayout& layout,
                                                      std::int32_t loop, std::int32_t chunk,
                                                      std::int32_t slice) {
  MessagePart part;
  part.within = split_evenly(layout.share, layout.loops, loop);
  if (layout.block_of_chunk != nullptr) {
    part.base = layout.block * layout.block_of_chunk[chunk];
  } else {
    part.within = split_evenly(part.within, layout.chunks, chunk);
  }
  part.within = split_evenly(part.within, layout.slices, slice);
  return part;
}

// Where a part starts in its slot: the first place from `cursor` on with the same remainder modulo
// 16 as the elements have in the user's buffer, so that copies can use 16-byte vectors.
FABRICAST_HOST_DEVICE inline std::int64_t slot_offset(std::int64_t cursor,
                                                      std::int64_t first_byte) {
  return cursor + ((first_byte - cursor) & 15);
}

}  // namespace fabricast::lane
