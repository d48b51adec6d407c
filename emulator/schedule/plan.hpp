// From (collective, algorithm, bytes, channels) to schedules with placements and chunk counts.
//
// The plan is the complete, protocol-agnostic input of executors and engines: everything that
// decides which bytes move where and in what order. Its limits (chunk, slice, slots) come from the
// caller, because they belong to a protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/schedule/placement.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct ChannelPlan {
  std::shared_ptr<const Schedule> schedule;
  Placement placement;
};

struct PlanLimits {
  std::int32_t channels = 1;               // wanted; fewer are used when the message is small
  std::int64_t max_chunk_bytes = 2 << 20;  // bytes of one chunk, all its slices together
  std::int64_t max_slice_bytes = 1 << 20;  // bytes of one message on a connection
  std::int64_t min_bytes_per_channel = 0;  // drop channels below this share of the message
  std::int32_t fifo_depth = 8;             // D slots per connection
  std::int32_t max_slices = 4;             // bound on slices per chunk; must be < fifo_depth
  // In which orders rings pass the members of a domain, channel by channel; null: rotations.
  std::shared_ptr<const std::vector<std::vector<std::int32_t>>> ring_orders = nullptr;
  // Cut::pieces: enough for a tree of a few levels to be busy on all of them; each no smaller than
  // NCCL cuts NVLSTree's chunks (nccl.md 2.4).
  std::int32_t max_pieces = 16;
  std::int64_t min_piece_bytes = 16 * 1024;
};

struct ExecutionPlan {
  Collective collective{};
  std::string algorithm;
  RankSpace space;
  std::int64_t bytes = 0;  // nccl-tests size as asked
  std::int32_t element_bytes = 4;
  std::vector<ChannelPlan> channels;
  std::int32_t loops = 1;   // the whole schedule runs this often per channel, on parts
  std::int32_t slices = 1;  // messages per chunk step
  // Bytes of the largest message of a step with chunk_count 1: what engines charge.
  std::int64_t slice_bytes = 0;

  std::int32_t ranks() const { return space.size(); }
};

// The algorithms that exist for a collective: "ring", "tree", "hierarchical", "pairwise" ...
std::vector<std::string> algorithms_of(Collective collective);
// All algorithm names, for did-you-mean.
std::vector<std::string> algorithm_names();
// Does this algorithm make sense on this space (hierarchical needs >= 2 domains of >= 2 ranks)?
bool algorithm_applies(const std::string& algorithm, Collective collective, const RankSpace& space);

// Throws UsageError for an unknown algorithm or one that does not apply. `bytes` below one element
// per participant is legal: some messages are then empty. `root` matters to collectives that have
// one.
ExecutionPlan make_plan(Collective collective, const std::string& algorithm, const RankSpace& space,
                        std::int64_t bytes, std::int32_t element_bytes, const PlanLimits& limits,
                        std::int32_t root = 0);

// A plan of one schedule as it is (an imported one, say): one channel, ranks at their own
// positions, slices = 1; loops as the chunk limit asks, but 1 where scratch is used, which a loop
// would have to leave free for the next. Any whole number of elements, but where the schedule moves
// chunks to each other's places they must be equal: UsageError with the nearest sizes where they
// are not.
ExecutionPlan plan_of(std::shared_ptr<const Schedule> schedule, std::int64_t bytes,
                      std::int32_t element_bytes, const PlanLimits& limits);

}  // namespace fabricast
