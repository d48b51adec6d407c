// Max-min fair rates of flows over links with capacities, kept up to date as flows come and go.
//
// Apart from any network: a link is a capacity, a flow is the set of links it crosses. A *member*
// may stand for many identical flows: `count` of them cross the link (flows that are symmetric to
// each other may be one member on a quotient of the network, flow_classes.hpp). All flows of a
// member have the same rate. A flow of weight w is a member with count w on each of its links.
//
// The allocation, in integers: raise one level from 0; a link L freezes at the first level x with
//     x = floor((capacity - sum of rates below x on L) / flows on L with a rate of x or more),
// all links that reach it at the same x at once; what a link freezes gets x. It is unique, does not
// depend on any numbering (symmetric flows get equal rates), never exceeds a capacity, and is
// within (flows on the link) units of the real-valued max-min rate. In fixed-point form, with
// level(L) infinite for links that never freeze: rate(f) = min over its links of level(L), and
// level(L) follows from the rates on L below it. A fixed point of these equations is unique (by
// induction over x), so solve() may start from the last allocation and stop when all links agree.
//
// solve() visits what changed, lowest level first, as long as that changes something: near O(flows
// on the links whose level moves). Should one link be visited too often, or most members be new,
// everything is filled from scratch, O(links in use + members); the result is the same. Memory:
// O(members), freed places are reused. Not thread safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "emulator/flow/flow_units.hpp"

namespace fabricast {

struct Crossing {
  std::uint32_t link = 0;
  std::int32_t count = 1;  // flows of the member on this link
};

struct MaxMinStats {
  std::int64_t solves = 0;
  std::int64_t link_visits = 0;   // levels computed
  std::int64_t flow_visits = 0;   // members looked at meanwhile
  std::int64_t rate_changes = 0;  // members whose rate a solve() moved
  std::int64_t refills = 0;       // solves done from scratch
};

class MaxMin {
 public:
  using Member = std::uint32_t;
  static constexpr std::size_t max_crossings = 10;  // up and down a tree, and a change of rail

  explicit MaxMin(std::vector<FlowRate> capacities);

  // At least one crossing, each of another link. Rates are right after the next solve().
  Member add(std::span<const Crossing> crossings);
  void remove(Member member);
  void set_capacity(std::uint32_t link, FlowRate capacity);
  // Brings all rates up to date.
  void solve();
  // The same from scratch; solve() must find nothing to change afterwards.
  void refill();

  FlowRate rate(Member member) const { return members_[member].rate; }
  // Members whose rate the last solve() or refill() moved, each once, in no particular order.
  std::span<const Member> changed() const { return changed_; }
  std::span<const Crossing> crossings(Member member) const {
    return {members_[member].crossings.data(), members_[member].size};
  }
  std::vector<Member> members_of(std::uint32_t link) const;
  FlowRate capacity(std::uint32_t link) const { return links_[link].capacity; }
  FlowAmount load(std::uint32_t link) const { return links_[link].load; }  // sum of rates
  std::size_t links() const { return links_.size(); }
  std::int64_t members() const { return active_; }
  std::int64_t state_bytes() const;
  const MaxMinStats& stats() const { return stats_; }

 private:
  static constexpr FlowRate open = std::numeric_limits<FlowRate>::max();  // level: never freezes

  struct Place {  // of a member on a link
    Member member;
    std::uint32_t crossing;  // index in the member's list
  };
  struct Link {
    FlowRate capacity = 0;
    FlowRate level = open;
    FlowAmount load = 0;  // 128 bits: while a solve runs, rates may be far too high
    std::int64_t flows = 0;
    FlowRate key = open;  // valid while dirty: levels below it are settled
    bool dirty = false;
    std::int32_t visits = 0;
    std::int64_t visited_in = -1;  // which solve the visits are of
    std::uint32_t used_at = 0;     // index in used_, while some member crosses it
    std::vector<Place> places;
  };
  struct MemberState {
    FlowRate rate = 0;
    FlowRate own_limit = 0;    // min over links of capacity / count
    FlowRate rate_before = 0;  // valid while marked
    std::uint8_t size = 0;
    bool marked = false;  // in touched_
    std::array<Crossing, max_crossings> crossings{};
    std::array<std::uint32_t, max_crossings> places{};  // index in Link::places
  };
  struct Entry {
    FlowRate key;
    std::uint32_t link;
  };

  void mark_dirty(std::uint32_t link, FlowRate key);
  void set_rate(Member member, FlowRate rate, std::uint32_t except);
  FlowRate lowest_level(const MemberState& state, std::uint32_t except) const;
  FlowRate own_limit(const MemberState& state) const;
  FlowRate level_of(std::uint32_t id);
  void visit(std::uint32_t id);
  bool pop_dirty(std::uint32_t& link);
  std::vector<FlowRate> filled_rates();  // and sets all levels
  void finish_solve();

  std::vector<Link> links_;
  std::vector<MemberState> members_;
  std::vector<Member> free_;
  std::int64_t active_ = 0;
  std::int64_t changes_ = 0;         // members added or removed since the last solve
  std::vector<std::uint32_t> used_;  // links that a member crosses: all that a refill looks at
  std::vector<Entry> queue_;         // binary heap, lowest key first; may hold outdated entries
  std::vector<Member> touched_, changed_;
  std::vector<FlowRate> limits_;  // of one visit: what each member could have without the link
  std::vector<std::int32_t> counts_;
  std::vector<FlowRate> left_;  // of a refill, by link: capacity and flows not given a rate yet
  std::vector<std::int64_t> open_flows_;
  MaxMinStats stats_;
};

}  // namespace fabricast
