// The program of a run in host memory: what an executor compiles from an ExecutionPlan and either
// points views at (host, MPI) or uploads (CUDA).
//
// Plain data. Lanes are ordered by rank, then channel, then role. StepLinks name FIFOs 0..fifos-1.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/lane/program.hpp"

namespace fabricast::lane {

struct LaneImage {
  std::int32_t rank = 0;
  std::int32_t channel = 0;
  std::int32_t role = 0;
  std::vector<Step> steps;
  std::vector<StepLinks> links;       // parallel to steps
  std::vector<std::int32_t> bundles;  // ascending, with an end marker
  ChannelLayout layout;               // block_of_chunk is filled when a view is made
  std::int32_t block_table = -1;      // index into ProgramImage::block_tables
  std::int64_t input_shift = 0;
  std::int64_t output_shift = 0;
};

// One allocation per rank holds both user buffers; in place they overlap by NCCL's rules.
struct RankBuffers {
  std::int64_t allocation_bytes = 0;
  std::int64_t input_offset = 0;
  std::int64_t input_bytes = 0;
  std::int64_t output_offset = 0;
  std::int64_t output_bytes = 0;
};

struct ProgramImage {
  std::vector<LaneImage> lanes;
  std::vector<std::vector<std::int32_t>> block_tables;
  std::vector<RankBuffers> buffers;  // by rank
  std::int32_t fifos = 0;
  std::uint32_t depth = 1;
  std::int64_t slot_bytes = 0;  // multiple of line_bytes
  RunData data;
};

// A view with pointers into `image` (which must outlive it); buffers and, where given, the block
// table come from the caller.
inline LaneView view_of(const LaneImage& image, const std::int32_t* block_of_chunk,
                        const std::byte* input, std::byte* output) {
  LaneView view;
  view.steps = image.steps.data();
  view.links = image.links.data();
  view.bundles = image.bundles.data();
  view.bundle_count = static_cast<std::int32_t>(image.bundles.size()) - 1;
  view.layout = image.layout;
  view.layout.block_of_chunk = block_of_chunk;
  view.input = input;
  view.output = output;
  view.input_shift = image.input_shift;
  view.output_shift = image.output_shift;
  return view;
}

}  // namespace fabricast::lane
