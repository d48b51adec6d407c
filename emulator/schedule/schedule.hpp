// The affine schedule: a collective as a short list of phases over positions, never enumerated.
//
// A Schedule speaks of positions 0..p-1 on one channel; a Placement (placement.hpp) says which rank
// sits at which position of each channel. Stages run one after the other; a stage repeats its
// phases k = 0..repeat-1; in one repetition a lane executes the stage's phases of its role in
// listing order, where the phase is active for its position. Lanes of different roles run
// concurrently. Messages on a connection (source, destination, channel) are FIFO, so pairing of
// sends with receives follows from order alone (docs/semantics.md).
//
// Size: a few hundred bytes for any number of ranks. Immutable after building; thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/rank_space.hpp"
#include "emulator/schedule/collective.hpp"
#include "emulator/schedule/step.hpp"

namespace fabricast {

// Closed forms position x, repetition k -> peer position. All divisions are by radices > 0.
struct PeerMap {
  enum class Kind : std::uint8_t {
    none,    // no peer
    linear,  // (x + a*k + b) mod p, on the whole position
    digit,   // the same on digit `digit` of x only: digit' = (digit + a*k + b) mod radix
    tree,    // double binary tree over digit 1 with a chain along digit 0, see tree.hpp
  };
  enum class TreeEdge : std::uint8_t { parent, child_low, child_high, chain_child };

  Kind kind = Kind::none;
  std::int32_t a = 0;
  std::int32_t b = 0;
  std::int32_t digit = 0;
  TreeEdge edge = TreeEdge::parent;
  bool mirrored = false;  // the second tree of the pair

  static PeerMap linear(std::int32_t a, std::int32_t b) { return {Kind::linear, a, b, 0, {}, false}; }
  static PeerMap on_digit(std::int32_t digit, std::int32_t a, std::int32_t b) {
    return {Kind::digit, a, b, digit, {}, false};
  }
  static PeerMap tree(TreeEdge edge, bool mirrored) {
    return {Kind::tree, 0, 0, 0, edge, mirrored};
  }
  // Does the peer depend on k? Maps that do not are one FIFO connection for the whole stage.
  bool varies() const { return kind != Kind::tree && kind != Kind::none && a != 0; }
  bool operator==(const PeerMap&) const = default;
};

// First chunk of a step: sum over terms of weight * ((cx*coordinate(x) + ck*k + b) mod modulus),
// where coordinate is digit `digit` of x, or x itself for digit -1. Then `count` chunks follow.
struct ChunkMap {
  struct Term {
    std::int32_t weight = 0;
    std::int32_t digit = -1;
    std::int32_t cx = 0;
    std::int32_t ck = 0;
    std::int32_t b = 0;
    std::int32_t modulus = 1;
    bool operator==(const Term&) const = default;
  };
  Term terms[2];
  std::int32_t count = 1;
  bool operator==(const ChunkMap&) const = default;
};

// Which positions execute a phase.
struct Active {
  enum class Kind : std::uint8_t {
    all,
    range,       // first <= x < end
    tree_shape,  // parent / low child / high child / chain child present exactly as stated
  };

  Kind kind = Kind::all;
  std::int32_t first = 0;
  std::int32_t end = 0;
  bool mirrored = false;
  bool parent = false, child_low = false, child_high = false, chain_child = false;

  static Active all() { return {}; }
  static Active range(std::int32_t first, std::int32_t end) {
    return {Kind::range, first, end, false, false, false, false, false};
  }
  bool operator==(const Active&) const = default;
};

struct Phase {
  std::uint8_t action = action_none;
  bool from_output = false;
  std::uint8_t role = 0;
  PeerMap peer_in;
  PeerMap peer_out;
  ChunkMap chunk;
  Active active;
};

// How positions depend on each other inside one repetition.
enum class StageOrder : std::uint8_t {
  rounds,       // a receive of repetition k takes a message sent before this phase of repetition k
                // began (in an earlier phase or repetition): all positions may be evaluated at once
  leaves_first, // tree, towards the root: children before parents within the repetition
  root_first,   // tree, from the root: parents before children within the repetition
  sequence,     // chain along positions in increasing x: upstream neighbour first
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
  std::string algorithm;         // "ring", "tree", "hierarchical", "pairwise"
  RankSpace space;               // positions: digit 0 inside a domain, digit 1 across domains
  std::int32_t chunks = 1;       // chunks the message (of one channel and loop) is cut into
  std::int32_t roles = 1;        // lane roles used
  std::int32_t fifo_depth = 8;   // D slots per connection (NCCL_STEPS)
  // Chunk c belongs to position owner: c itself, or transposed (c = d0*radix1 + d1 belongs to the
  // position with digits d0, d1). Matters for all_gather, reduce_scatter and all_to_all, where the
  // chunk's place in the user's buffer is its owner's rank; for the others chunks are just numbered.
  bool transposed_chunks = false;
  // Broadcast's root is position 0; the Placement puts the root rank there.
  std::vector<Stage> stages;

  std::int32_t positions() const { return space.size(); }
  std::int32_t owner_of_chunk(std::int32_t chunk) const;
};

// Evaluate the closed forms. peer_of returns -1 for "no peer"; undefined for none.
std::int32_t peer_of(const PeerMap& map, const RankSpace& space, std::int32_t x, std::int32_t k);
std::int32_t chunk_of(const ChunkMap& map, const RankSpace& space, std::int32_t x, std::int32_t k);
bool is_active(const Active& active, const RankSpace& space, std::int32_t x);

}  // namespace fabricast
