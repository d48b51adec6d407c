// The affine schedule: a collective as a short list of phases over positions, never enumerated.
//
// A Schedule speaks of positions 0..p-1 on one channel; a Placement (placement.hpp) says which rank
// sits at which position of each channel. Stages run one after the other; a stage repeats its
// phases k = 0..repeat-1; in one repetition a lane executes the stage's phases of its role in
// listing order, where the phase is active for its position. Lanes of different roles run
// concurrently. Messages on a connection (source, destination, channel, fifo) are FIFO, so pairing
// of sends with receives follows from order alone (docs/semantics.md).
//
// Size: a few hundred bytes for any number of ranks, unless it was imported as tables.
// Immutable after building; thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/rank_space.hpp"
#include "emulator/schedule/collective.hpp"
#include "emulator/schedule/maps.hpp"
#include "emulator/schedule/step.hpp"

namespace fabricast {

struct Phase {
  std::uint8_t action = action_none;
  Buffer source = Buffer::input;  // of the operand
  std::uint8_t role = 0;
  PeerMap peer_in;
  PeerMap peer_out;
  ChunkMap chunk;  // the operand; gives the message its size
  Active active;
  Buffer target = Buffer::output;  // of a copy
  // Where a copy goes, if not to the chunk of the same number; its count must be chunk.count.
  ChunkMap target_chunk{{}, 0};
  // Groups (semantics 1.4). True: each member has its own chunk, `chunk` evaluated at the member's
  // position (send: scatter; receive: gather), also where one member is the peer. False: one chunk,
  // `chunk` at the own position (send: multicast; receive: all members' messages reduced).
  bool per_member = false;
  // Per position {role, stage}: wait until that lane of the same rank has ended that stage in this
  // loop (semantics 2.7); role -1: nothing to wait for. Empty: nobody waits.
  MapTable after{};

  bool has_target_chunk() const { return target_chunk.count > 0; }
};

// First chunk of the operand and of the copy at position x in repetition k.
std::int32_t source_chunk_of(const Phase& phase, const RankSpace& space, std::int32_t x,
                             std::int32_t k);
std::int32_t target_chunk_of(const Phase& phase, const RankSpace& space, std::int32_t x,
                             std::int32_t k);

// How positions depend on each other inside one repetition (semantics 4.1, 4.2).
enum class StageOrder : std::uint8_t {
  rounds,       // a receive of repetition k takes a message sent before this phase of repetition k
                // began (in an earlier phase or repetition): all positions may be evaluated at once
  leaves_first, // tree, towards the root: children before parents within the repetition
  root_first,   // tree, from the root: parents before children within the repetition
  sequence,     // chain along positions in increasing x: upstream neighbour first
  dataflow,     // none of these: messages alone say what comes first
};

// Phases of one role group with a common order. Groups of a stage share the repetition index and
// run concurrently (e.g. tree reduce-up and broadcast-down).
struct PhaseGroup {
  StageOrder order = StageOrder::rounds;
  std::vector<Phase> phases;
};

struct Stage {
  std::string name;  // "reduce_scatter", "tree_up", ... shown in timelines
  std::int32_t repeat = 1;
  std::vector<PhaseGroup> groups;
};

struct Schedule {
  Collective collective{};
  std::string algorithm;         // "ring", "tree", "hierarchical", "pairwise", ...
  RankSpace space;               // positions: digit 0 inside a domain, digit 1 across domains
  std::int32_t chunks = 1;       // chunks the message (of one channel and loop) is cut into
  std::int32_t roles = 1;        // lane roles used
  std::int32_t fifo_depth = 8;   // D slots per connection (NCCL_STEPS)
  // Where the user's buffers consist of one block per rank (has_rank_blocks, collective.hpp), chunk
  // c is part c mod block_parts of the block of its owner, position c / block_parts; or, with
  // transposed_chunks, c = d0*radix1 + d1 belongs to the position with digits d0, d1. For the other
  // collectives chunks are just numbered.
  std::int32_t block_parts = 1;
  bool transposed_chunks = false;
  std::int32_t scratch_chunks = 0;  // chunks of scratch a rank needs on one channel
  // The input is in the output buffer when the schedule starts (imported in-place algorithms);
  // executors copy it there first where the user's buffers differ.
  bool starts_in_output = false;
  // Values change to places of another length where the message does not divide evenly (imports):
  // chunks must be equal.
  bool moves_chunks = false;
  // The root of broadcast, reduce, gather and scatter is position 0; the Placement puts the root
  // rank there.
  std::vector<Stage> stages;

  std::int32_t positions() const { return space.size(); }
  std::int32_t owner_of_chunk(std::int32_t chunk) const;  // a position
};

}  // namespace fabricast
