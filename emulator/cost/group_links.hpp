// What links see of a message to or from the other members of a group, through the switch or, in a
// direct group, without its help.
//
// A route climbs to the switch in its first half and descends in its second. The climb belongs to
// the phase that sends, the descent to the one that receives; every link counts
//   send:    multicast: once; to each member its own chunk: once per member
//   receive: all reduced: once; from each member its own chunk: once per member
// A member's own copy passes the switch as well (multimem operations address all members), which is
// the factor (n-1)/n or so of NCCL's model of NVLS (v2.28.9-1 src/graph/tuning.cc).
// Of a direct group every message counts by itself, and there is no own copy.
// Between domains it is the network's switches that do so (SHARP).
// Pure functions; O(members) routes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/schedule/schedule.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct LinkChunks {
  LinkId link;
  std::int32_t chunks = 0;
};

// Which groups of a map meet at one switch: every route from a member climbs the same link, and
// every route to it descends the same one. Found out once per group. Not thread safe; the arguments
// must outlive it.
class SwitchGroups {
 public:
  SwitchGroups(const Topology& topology, std::span<const std::int32_t> ranks,
               const RankSpace& space, const PeerMap& map);
  bool meet(std::int32_t x);  // the members of x's group
  // Of 0 <= x < positions: which of the groups it is in.
  std::size_t group_of(std::int32_t x) const {
    return static_cast<std::size_t>(x / (weight_ * radix_) * weight_ + x % weight_);
  }
  std::size_t groups() const { return answers_.size(); }

 private:
  enum class Answer : std::uint8_t { unknown, no, yes };
  bool find_out(std::int32_t x) const;

  const Topology& topology_;
  std::span<const std::int32_t> ranks_;
  bool network_;
  std::int32_t weight_, radix_;
  std::vector<Answer> answers_;
};

// Another member of x's group along the digit: the first, or the second if x is that. Expects two.
std::int32_t other_member(const RankSpace& space, std::int32_t digit, std::int32_t x);

// The part of position x in a phase with a group there. `ranks`: the rank at each position;
// `at_a_switch`: whether the group meets there.
std::vector<LinkChunks> group_links(const Topology& topology, std::span<const std::int32_t> ranks,
                                    const RankSpace& space, const Phase& phase, std::int32_t x,
                                    bool sends, bool at_a_switch = false);

// The same for groups between domains: switches of the network add up what climbs from the members
// to the top of a tree that spans them, and multicast the sum downwards, so that every link counts
// once per group, whoever sends or receives over it. The tree is where routes to the first and the
// last member lead. O(positions) routes.
std::vector<LinkChunks> network_group_links(const Topology& topology,
                                            std::span<const std::int32_t> ranks,
                                            const RankSpace& space, const Phase& phase, bool sends);
// Members whose routes stand for all of x's group: all of them inside a domain.
std::vector<std::int32_t> telling_members(const PeerMap& map, const RankSpace& space,
                                          std::int32_t x);

// Chunks that a step of the phase handles: all its messages together. One step has one size.
std::int32_t chunks_of_step(const Phase& phase, const RankSpace& space);

}  // namespace fabricast
