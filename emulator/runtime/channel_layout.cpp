#include "emulator/runtime/channel_layout.hpp"

#include <algorithm>

#include "kernels/lane/fifo.hpp"

namespace fabricast {

std::int64_t whole_lines(std::int64_t bytes) {
  constexpr auto line = static_cast<std::int64_t>(lane::line_bytes);
  return (bytes + line - 1) / line * line;
}

namespace {

// May two steps call the same data by different chunk numbers? Closed forms do not, except where a
// copy has a target of its own; tables may.
bool renumbers(const Schedule& schedule) {
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        if (phase.has_target_chunk() || phase.chunk.kind == ChunkMap::Kind::table) return true;
      }
    }
  }
  return false;
}

}  // namespace

bool shares_scratch(const Schedule& schedule) {
  std::int32_t user = -1;
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases) {
        if (phase.source != Buffer::scratch && phase.target != Buffer::scratch) continue;
        if (user >= 0 && user != phase.role) return true;
        user = phase.role;
      }
    }
  }
  return false;
}

lane::ChannelLayout layout_of(const ExecutionPlan& plan, std::int32_t channel) {
  const bool blocks = has_rank_blocks(plan.collective);
  const std::int64_t elements = plan.bytes / plan.element_bytes;
  const auto& schedule = *plan.channels[static_cast<std::size_t>(channel)].schedule;
  lane::ChannelLayout layout;
  layout.block = blocks ? elements / plan.ranks() : 0;
  layout.share = lane::split_evenly({0, blocks ? layout.block : elements},
                                    static_cast<std::int32_t>(plan.channels.size()), channel);
  layout.loops = plan.loops;
  layout.slices = plan.slices;
  layout.parts = blocks ? schedule.block_parts : schedule.chunks;
  layout.chunks = schedule.chunks;
  layout.scratch_chunks = schedule.scratch_chunks;
  layout.packed = renumbers(schedule);
  return layout;
}

bool divides_evenly(const lane::ChannelLayout& layout) {
  for (const std::int32_t loop : {0, layout.loops - 1}) {
    if (lane::split_evenly(layout.share, layout.loops, loop).count % layout.parts != 0)
      return false;
  }
  return true;
}

// Loop 0 is the largest.
std::int64_t largest_chunk_bytes(lane::ChannelLayout layout, std::int32_t element_bytes) {
  layout.slices = 1;
  std::int64_t largest = 0;
  for (std::int32_t c = 0; c < layout.chunks; ++c) {
    largest = std::max(largest, lane::message_part(layout, 0, c, 0).within.count);
  }
  return whole_lines(largest * element_bytes + 15);
}

}  // namespace fabricast
