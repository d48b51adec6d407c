// Which elements a message carries, as arithmetic both host and device can do.
//
// The same split as emulator/schedule/partition.hpp (tested to be equal), restricted to one channel
// and prepared: loops, then parts, then slices, each by even_split. A chunk is a part; where there
// are rank-sized blocks, part c mod parts of the block that a table gives for c. O(1) per query.
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
  std::int32_t parts = 1;  // parts a loop, or a loop's share of a block, is cut into
  std::int32_t slices = 1;
  std::int64_t block = 0;  // elements per block; 0 where chunks are numbered parts
  const std::int32_t* block_of_chunk = nullptr;  // rank owning each chunk; null if block == 0
  std::int32_t chunks = 1;                       // of the schedule
  std::int32_t scratch_chunks = 0;
  // Messages start at multiples of 16 bytes instead of at their data's remainder: where sender and
  // receiver may number the same data differently (imported schedules).
  bool packed = false;

  // Chunk i of a list that starts at `first`, 2^stride_log2 apart, modulo the buffer's chunks.
  FABRICAST_HOST_DEVICE std::int32_t listed(std::int32_t first, std::int32_t i,
                                            std::int32_t stride_log2, bool in_scratch) const {
    const std::int64_t number = first + (static_cast<std::int64_t>(i) << stride_log2);
    return static_cast<std::int32_t>(number % (in_scratch ? scratch_chunks : chunks));
  }
};

// `within` is relative to the chunk's block (the whole message if there are none): sender and
// receiver agree on it even where their blocks differ. base + within.first is the element;
// within.first - chunk_first its place inside the chunk.
struct MessagePart {
  Range within;
  std::int64_t base = 0;
  std::int64_t chunk_first = 0;
};

// Scratch chunks beyond the schedule's are as large as the chunk of their number modulo chunks.
FABRICAST_HOST_DEVICE inline MessagePart message_part(const ChannelLayout& layout,
                                                      std::int32_t loop, std::int32_t chunk,
                                                      std::int32_t slice) {
  MessagePart part;
  const std::int32_t number = chunk < layout.chunks ? chunk : chunk % layout.chunks;
  part.within = split_evenly(layout.share, layout.loops, loop);
  part.within = split_evenly(part.within, layout.parts, number % layout.parts);
  if (layout.block_of_chunk != nullptr) part.base = layout.block * layout.block_of_chunk[number];
  part.chunk_first = part.within.first;
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
