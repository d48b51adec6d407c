// A tree of the pair between domains among equal members, and one such tree per member: the phases
// of every shape a position can have in it (schedule/tree.hpp).
//
// Positions are numbered domain by domain along the members, the other way round than ranks
// (Placement::transposed), so that the members of a domain, which all do the same, lie a period
// apart. Parts are added up on the way to the root, whose up lane turns the last sum around at
// once, and taken down again by a lane of its own. Every position's sum so far, and the result,
// are in the output.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

inline constexpr std::int32_t domain_digit = 0, member_digit = 1;  // of transposed positions

class LevelTreePhases {
 public:
  // The shapes that occur among `domains`; seven at most.
  static std::vector<LevelTreePhases> of_all_shapes(std::int32_t domains, bool mirrored);

  // In the order of their lanes. Where the position's own part comes from another lane or a switch,
  // `own` is the map it is received along, to be added to the input; a leaf then passes on what it
  // gets. Without one it is in the output.
  void add_up(std::vector<Phase>& phases, std::uint8_t role, const ChunkMap& part,
              const PeerMap& own = {}) const;
  void add_down(std::vector<Phase>& phases, std::uint8_t role, const ChunkMap& part) const;

 private:
  LevelTreePhases(bool parent, bool low, bool high, bool mirrored);
  Phase step(unsigned action, Buffer source, std::uint8_t role, PeerMap in, PeerMap out,
             const ChunkMap& part) const;
  void add_sends(std::vector<Phase>& phases, std::uint8_t role, const ChunkMap& part) const;

  bool has_parent_;
  std::vector<PeerMap> children_;
  PeerMap parent_;
  Active active_;
};

// By position the lane that has the result, and the stage in which it gets it: what a lane that
// takes it from there waits for (Phase::after).
MapTable lanes_with_result(const RankSpace& transposed, bool mirrored, std::uint8_t up_role,
                           std::uint8_t down_role, std::int32_t stage);

}  // namespace fabricast
