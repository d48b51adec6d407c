// The program of a run in host memory: what an executor compiles from an ExecutionPlan and either
// points views at (host, MPI) or uploads (CUDA).
//
// Plain data. Lanes are ordered by rank, then channel, then role. StepLinks name FIFOs 0..fifos-1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/hand_off.hpp"
#include "kernels/lane/program.hpp"

namespace fabricast::lane {

struct LaneImage {
  std::int32_t rank = 0;
  std::int32_t channel = 0;
  std::int32_t role = 0;
  std::vector<Step> steps;
  std::vector<StepLinks> links;       // parallel to steps
  std::vector<LaneDependency> dependencies;
  std::vector<std::int32_t> bundles;  // ascending, with an end marker
  ChannelLayout layout;               // block_of_chunk is filled when a view is made
  std::int32_t block_table = -1;      // index into ProgramImage::block_tables
  std::int64_t input_shift = 0;
  std::int64_t output_shift = 0;
  std::int64_t scratch_offset = 0;  // in the rank's allocation
  std::int64_t scratch_chunk_bytes = 0;
  std::int64_t scratch_loop_bytes = 0;
};

// One allocation per rank holds both user buffers, which overlap in place by NCCL's rules, and the
// scratch of its channels.
struct RankBuffers {
  std::int64_t allocation_bytes = 0;
  std::int64_t input_offset = 0;
  std::int64_t input_bytes = 0;
  std::int64_t output_offset = 0;
  std::int64_t output_bytes = 0;
  // Where a copy of the input must be when a run starts (Schedule::starts_in_output); -1: nowhere.
  std::int64_t contribution_offset = -1;
};

struct ProgramImage {
  std::vector<LaneImage> lanes;
  std::vector<std::vector<std::int32_t>> block_tables;
  std::vector<RankBuffers> buffers;  // by rank
  std::int32_t fifos = 0;
  std::uint32_t depth = 1;
  std::int64_t slot_bytes = 0;  // multiple of line_bytes
  HandOff hand_off = HandOff::simple;
  // Do messages order what lanes of one rank do with shared data (semantics 2.3)? Not where every
  // channel has one role.
  bool orders_lanes = false;
  bool has_dependencies = false;  // does any lane wait for another?
  RunData data;
};

// A view with pointers into `image` (which must outlive it) and into the rank's allocation.
inline LaneView view_of(const ProgramImage& image, std::size_t index, std::byte* allocation) {
  const LaneImage& lane = image.lanes[index];
  const RankBuffers& buffers = image.buffers[static_cast<std::size_t>(lane.rank)];
  LaneView view;
  view.steps = lane.steps.data();
  view.links = lane.links.data();
  view.dependencies = lane.dependencies.data();
  view.bundles = lane.bundles.data();
  view.bundle_count = static_cast<std::int32_t>(lane.bundles.size()) - 1;
  view.index = static_cast<std::int32_t>(index);
  view.layout = lane.layout;
  if (lane.block_table >= 0) {
    view.layout.block_of_chunk =
        image.block_tables[static_cast<std::size_t>(lane.block_table)].data();
  }
  view.input = allocation + buffers.input_offset;
  view.output = allocation + buffers.output_offset;
  view.input_shift = lane.input_shift;
  view.output_shift = lane.output_shift;
  view.scratch = allocation + lane.scratch_offset;
  view.scratch_chunk_bytes = lane.scratch_chunk_bytes;
  view.scratch_loop_bytes = lane.scratch_loop_bytes;
  return view;
}

}  // namespace fabricast::lane
