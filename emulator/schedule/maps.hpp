// Closed forms of a schedule: who is the peer, which chunk, which positions take part.
//
// A small tagged set, evaluated per (position x, repetition k); `table` is the honest fallback for
// what has no closed form (imports, NCCL's order of point-to-point rounds). Value types, immutable
// after building, thread safe; O(1) per query, O(log p) for trees.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "emulator/base/rank_space.hpp"
#include "emulator/schedule/tree.hpp"

namespace fabricast {

// A shared, constant table; equal if it holds the same numbers, so that two schedules made alike
// are.
class MapTable {
 public:
  MapTable() noexcept : values_(nullptr) {}
  explicit MapTable(std::vector<std::int32_t> values)
      : values_(std::make_shared<const std::vector<std::int32_t>>(std::move(values))) {}

  explicit operator bool() const { return values_ != nullptr; }
  std::int32_t operator[](std::int32_t i) const { return (*values_)[static_cast<std::size_t>(i)]; }
  bool operator==(const MapTable& other) const {
    return values_ == other.values_ ||
           (values_ != nullptr && other.values_ != nullptr && *values_ == *other.values_);
  }

 private:
  std::shared_ptr<const std::vector<std::int32_t>> values_;
};

// Position x, repetition k -> peer position. All divisions are by radices > 0.
struct PeerMap {
  enum class Kind : std::uint8_t {
    none,       // no peer
    linear,     // (x + a*k + b) mod p, on the whole position
    digit,      // the same on digit `digit` of x only: digit' = (digit + a*k + b) mod radix
    exclusive,  // x xor b (hypercubes); no peer where that is >= p
    absolute,   // position a*k + b, whoever asks (roots); no peer for that position itself
    tree,       // double binary tree over digit 1 with a chain along digit 0, or, `level`, over
                // `digit` without a chain; see tree.hpp
    group,      // all other members along digit `digit` of x at once (semantics 1.4)
    rounds,     // step i = k + b: digit 0 shifts by a * (i mod r0), digit 1 by a * table[i / r0]
    table,      // table[x], -1: no peer
  };
  enum class TreeEdge : std::uint8_t { parent, child_low, child_high, chain_child };

  Kind kind = Kind::none;
  std::int32_t a = 0;
  std::int32_t b = 0;
  std::int32_t digit = 0;
  TreeEdge edge = TreeEdge::parent;
  bool mirrored = false;  // the second tree of the pair
  bool level = false;     // of a tree
  bool network = false;   // of a group: joined by switches of the network, not of the domain
  bool direct = false;    // of a group: no switch multicasts or reduces, every member gets its own
  std::uint8_t fifo = 0;  // which of several connections between the same two ranks
  MapTable table;

  PeerMap() noexcept {}
  static PeerMap linear(std::int32_t a, std::int32_t b);
  static PeerMap on_digit(std::int32_t digit, std::int32_t a, std::int32_t b);
  static PeerMap exclusive(std::int32_t mask);
  static PeerMap absolute(std::int32_t a, std::int32_t b);
  static PeerMap tree(TreeEdge edge, bool mirrored);
  static PeerMap level_tree(TreeEdge edge, bool mirrored, std::int32_t digit);
  static PeerMap group(std::int32_t digit, std::uint8_t fifo = 0);
  // The same group, joined by the switches of the network.
  static PeerMap network_group(std::int32_t digit, std::uint8_t fifo = 0);
  // The same group, of whose members each is sent to, and received from, by itself.
  static PeerMap direct_group(std::int32_t digit, std::uint8_t fifo = 0);
  static PeerMap rounds(std::int32_t a, std::int32_t b, MapTable digit1_shifts);
  static PeerMap from_table(MapTable peers, std::uint8_t fifo = 0);

  bool exists() const { return kind != Kind::none; }
  bool is_group() const { return kind == Kind::group; }
  bool is_switched() const { return is_group() && !direct; }  // a switch's functions are used
  // Does the peer depend on k? Maps that do not are one FIFO connection for the whole stage.
  bool varies() const;
  bool operator==(const PeerMap&) const = default;

 private:
  PeerMap(Kind kind_, std::int32_t a_, std::int32_t b_) : kind(kind_), a(a_), b(b_) {}
};

// First chunk of a step, and how many follow, `stride` apart (a power of two), modulo the
// schedule's chunks. terms: sum of weight * (floor((cx*coordinate(x) + ck*k + b) / divisor) mod
// modulus), where coordinate is digit `digit` of x, or x itself for digit -1.
struct ChunkMap {
  enum class Kind : std::uint8_t { terms, peer_in, peer_out, table };
  struct Term {
    std::int32_t weight = 0;
    std::int32_t digit = -1;
    std::int32_t cx = 0;
    std::int32_t ck = 0;
    std::int32_t b = 0;
    std::int32_t modulus = 1;
    std::int32_t divisor = 1;
    bool operator==(const Term&) const = default;
  };
  Term terms[2];
  std::int32_t count = 1;
  std::int32_t stride = 1;
  Kind kind = Kind::terms;  // peer_in, peer_out: the position of that peer; table: table[x]
  MapTable table{};

  static ChunkMap of_peer_in() { return {{}, 1, 1, Kind::peer_in, {}}; }
  static ChunkMap of_peer_out() { return {{}, 1, 1, Kind::peer_out, {}}; }
  static ChunkMap from_table(MapTable chunks, std::int32_t count) {
    return {{}, count, 1, Kind::table, std::move(chunks)};
  }
  bool operator==(const ChunkMap&) const = default;
};

// Which positions execute a phase.
struct Active {
  enum class Kind : std::uint8_t {
    all,
    range,             // first <= x < end
    tree_shape,        // parent / low child / high child / chain child present exactly as stated
    level_tree_shape,  // the same of trees along digit `first` without a chain
    table,             // where table[x] != 0
  };

  Kind kind = Kind::all;
  std::int32_t first = 0;
  std::int32_t end = 0;
  bool mirrored = false;
  bool parent = false, child_low = false, child_high = false, chain_child = false;
  MapTable table{};

  static Active all() { return {}; }
  static Active range(std::int32_t first, std::int32_t end);
  static Active from_table(MapTable active);
  bool operator==(const Active&) const = default;
};

// Of tree_shape and level_tree_shape: is this the shape that takes part?
bool has_shape(const Active& active, const TreePosition& position);

// Evaluate the closed forms. peer_of returns -1 for "no peer"; for none and group always -1.
std::int32_t peer_of(const PeerMap& map, const RankSpace& space, std::int32_t x, std::int32_t k);
bool is_active(const Active& active, const RankSpace& space, std::int32_t x);

// The other members of x's group, in the order in which lowered steps visit them: own digit + 1,
// + 2, ... (mod radix). Empty unless the map is a group.
std::vector<std::int32_t> group_members(const PeerMap& map, const RankSpace& space, std::int32_t x);

}  // namespace fabricast
