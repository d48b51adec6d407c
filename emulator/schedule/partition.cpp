#include "emulator/schedule/partition.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

// The part `index` of `parts` inside an existing range.
ElementRange narrow(ElementRange range, std::int64_t parts, std::int64_t index) {
  const ElementRange part = even_split(range.count, parts, index);
  return {range.first + part.first, part.count};
}

}  // namespace

ElementRange even_split(std::int64_t total, std::int64_t parts, std::int64_t index) {
  FABRICAST_EXPECT(parts > 0 && index >= 0 && index < parts, "a part of the split");
  const std::int64_t base = total / parts;
  const std::int64_t extra = total % parts;
  const std::int64_t before = index < extra ? index : extra;
  return {index * base + before, base + (index < extra ? 1 : 0)};
}

BufferSizes buffer_sizes(const ExecutionPlan& plan) {
  const std::int64_t elements = plan.bytes / plan.element_bytes;
  if (!has_rank_blocks(plan.collective)) return {elements, elements};
  const std::int64_t block = elements / plan.ranks();
  const std::int64_t all = block * plan.ranks();
  return {input_is_own_block(plan.collective) ? block : all,
          output_is_own_block(plan.collective) ? block : all};
}

ElementRange message_elements(const ExecutionPlan& plan, std::int32_t channel, std::int32_t loop,
                              std::int32_t chunk, std::int32_t slice) {
  const ChannelPlan& lane = plan.channels[static_cast<std::size_t>(channel)];
  const auto channels = static_cast<std::int64_t>(plan.channels.size());
  const std::int64_t elements = plan.bytes / plan.element_bytes;
  ElementRange range{0, elements};
  if (has_rank_blocks(plan.collective)) {
    const std::int64_t block = elements / plan.ranks();
    const std::int32_t owner = lane.placement.rank_at(lane.schedule->owner_of_chunk(chunk));
    range = narrow(narrow({0, block}, channels, channel), plan.loops, loop);
    range = narrow(range, lane.schedule->block_parts, chunk % lane.schedule->block_parts);
    range.first += owner * block;
  } else {
    range = narrow(narrow(range, channels, channel), plan.loops, loop);
    range = narrow(range, lane.schedule->chunks, chunk);
  }
  return narrow(range, plan.slices, slice);
}

}  // namespace fabricast
