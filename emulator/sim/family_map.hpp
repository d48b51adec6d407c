// The connections x -> map(x) of uniform phases, as the key of a family (uniform_program.hpp).
//
// Seen from the sender, in a normal form: two phases use the same connections exactly if their maps
// are equal, unless `share_connections` says otherwise. Senders are a range of positions; outside of
// it the map is of no meaning. Value type, O(1).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/sim/shift_map.hpp"

namespace fabricast {

struct ColumnRange {
  std::int32_t first = 0;
  std::int32_t end = 0;
  auto operator<=>(const ColumnRange&) const = default;

  std::int32_t count() const { return end - first; }
  bool overlaps(const ColumnRange& other) const {
    return first < other.end && other.first < end;
  }
};

struct FamilyMap {
  enum class Kind : std::uint8_t {
    shift,      // of the whole position or of one digit
    two_digit,  // `shift` of digit 0 and `other` of digit 1 at once
    exclusive,  // x xor `other`
    group,      // to every other member along digit `other`, which `shift` moves by one
  };
  Kind kind = Kind::shift;
  std::uint8_t fifo = 0;
  ShiftMap shift;
  std::int32_t other = 0;
  ColumnRange senders;
  auto operator<=>(const FamilyMap&) const = default;

  // Not for groups.
  std::int32_t operator()(std::int32_t x, std::int32_t positions) const;
};

// Of a sending map. Nothing for maps that are none of these, have no peer somewhere in the range, or
// are a group without other members.
std::optional<FamilyMap> family_of_senders(const PeerMap& out, const RankSpace& space,
                                           std::int32_t k, ColumnRange senders);
// The family that positions in the range receive from; nothing if the senders are not a range.
std::optional<FamilyMap> family_of_receivers(const PeerMap& in, const RankSpace& space,
                                             std::int32_t k, ColumnRange receivers);

// From receivers to senders; its range is that of `map` and of no meaning.
FamilyMap inverse(const FamilyMap& map, std::int32_t positions);

// The shift by one member, in its normal form: what is symmetric under it is symmetric for the group.
ShiftMap group_step(const FamilyMap& group, std::int32_t positions);

// Do two different families use a connection together? O(positions) where no closed form says.
bool share_connections(const FamilyMap& a, const FamilyMap& b, std::int32_t positions);

// Runs of the columns in `range`: the sender's column by `in` backwards, the receiver's by `out`;
// null, or a group: the own column.
void build_runs(const FamilyMap* in, const FamilyMap* out, ColumnRange range,
                std::int32_t positions, std::vector<ColumnRun>& runs);

}  // namespace fabricast
