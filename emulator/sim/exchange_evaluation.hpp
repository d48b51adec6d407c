// One evaluation of a pairwise exchange: the state behind pairwise_exchange.hpp.
//
// exchange_end.cpp has the order of levels and the pairs one by one, exchange_stretches.cpp what a
// group does between its parts. Not thread safe; O(positions * sorts of positions) memory. Times
// in ps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "emulator/sim/exchange_between.hpp"
#include "emulator/sim/exchange_pairs.hpp"
#include "emulator/sim/pairwise_exchange.hpp"

namespace fabricast {

// The clocks of a sending lane.
struct ExchangeSender {
  std::int64_t lane = 0, port = 0;

  // Messages j = 1 ... count at one pace (pairwise_exchange.hpp): the larger of lane + j *
  // lane_cost and port + j * port_cost, to which the caller adds the latency. Moves `port` to make
  // it so.
  void begin_stretch(const PairCosts& pair) {
    if (pair.port >= pair.lane) port = std::max(port, lane);
  }
  void end_stretch(const PairCosts& pair, std::int64_t count) {
    if (count == 0) return;
    const std::int64_t last_start = lane + (count - 1) * pair.lane;
    port = std::max(port + count * pair.port, last_start + pair.port);
    lane += count * pair.lane;
  }

  // All slices to one peer, who has `left` to receive after them: when it is through. Inlined, so
  // that clocks stay in registers from peer to peer.
  [[gnu::always_inline]] std::int64_t send(const PairCosts& pair, std::int64_t slices,
                                           std::int64_t left) {
    begin_stretch(pair);
    // Ready times are convex in the slice, what is left is linear: the first or the last one
    // counts.
    const std::int64_t first = std::max(lane + pair.lane, port + pair.port);
    const std::int64_t last = std::max(lane + slices * pair.lane, port + slices * pair.port);
    end_stretch(pair, slices);
    return std::max(first + slices * pair.at_peer, last + pair.at_peer) + pair.latency + left;
  }
};

// What is the same for all groups that are alike lives at the positions of the first of them. Where
// positions are of several classes no groups are, and stretches end where the class of the
// receivers changes (a stretch may be parted anywhere), while senders of one sort are taken
// together.
class ExchangeEvaluation {
 public:
  explicit ExchangeEvaluation(const PairwiseExchange& exchange)
      : pairs_(exchange.costs),
        all_(exchange.costs.groups),
        positions_(all_.groups.front().end),
        slices_(exchange.slices),
        senders_(static_cast<std::size_t>(positions_), {exchange.ready_at, 0}),
        total_(senders_.size(), 0),
        below_(senders_.size(), 0),
        above_(senders_.size(), 0) {}

  std::int64_t end();

 private:
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min() / 4;

  // A part of a group, and where its state lies.
  struct Part {
    std::int32_t begin = 0, end = 0, first = 0;
    bool is_first() const { return first == begin; }
    std::size_t at(std::int32_t x) const { return static_cast<std::size_t>(x - begin + first); }
  };
  using Parts = std::span<const Part>;
  using Run = ExchangePairs::Run;

  std::vector<Part> parts_of(const ExchangeGroup& group) const;
  const ExchangeGroup& group(std::int32_t g) const {
    return all_.groups[static_cast<std::size_t>(g)];
  }
  // Visits the parts that are groups and alike to no earlier one.
  template <class Visit>
  void for_first_groups(const ExchangeGroup& group, Visit visit) const {
    for (std::int32_t g = group.first; g < group.last; ++g) {
      if (this->group(g).alike_to == g) visit(this->group(g));
    }
  }

  void sum(const ExchangeGroup& group);
  void upwards(const ExchangeGroup& group);
  void downwards(const ExchangeGroup& group);
  void to_all_others(const ExchangeGroup& whole);
  void one_by_one_upwards(const ExchangeGroup& group);
  void one_by_one_downwards(const ExchangeGroup& group);

  // Of the group last looked at, in exchange_stretches.cpp.
  void look_at(const ExchangeGroup& group);
  void leave_upwards(Parts parts);
  void leave_downwards(Parts parts, std::int32_t unrolled);
  template <class From, class To>
  void begin_stretches(Parts parts, const Run& run, From from, To to);
  template <class From, class To>
  void end_stretches(Parts parts, const Run& run, From from, To to);
  void to_parts_above(Parts parts, const Run& run);
  template <class Origin>
  void to_parts_below(Parts parts, const Run& run, Origin origin, std::int32_t unrolled);

  // All that members of a sort receive from members below x, as if their own part were another.
  std::int64_t received(std::int32_t x, std::size_t sort) const {
    return received_[static_cast<std::size_t>(x - from_) * between_->sorts() + sort];
  }
  std::int64_t& left(std::int32_t y) { return left_[static_cast<std::size_t>(y - from_)]; }
  std::int64_t clock(std::size_t x, std::size_t which) const {
    return which == ExchangePaces::lane ? senders_[x].lane : senders_[x].port;
  }

  ExchangePairs pairs_;
  const ExchangeGroups& all_;
  std::int32_t positions_;
  std::int64_t slices_;
  std::vector<ExchangeSender> senders_;
  std::vector<std::int64_t> total_;  // to receive from all others
  // To receive from those below and above in the group that was last looked at.
  std::vector<std::int64_t> below_, above_;
  std::optional<ExchangeBetween> between_;
  std::optional<ExchangePaces> paces_;
  std::int32_t from_ = 0;               // begin of the group
  std::vector<std::int64_t> received_;  // [position][sort of the receiver]
  // What y has left to receive after x is left(y) + received(x, sort of y). Of the whole both ways
  // round: that of those below as of y + positions.
  std::vector<std::int64_t> left_;
  std::int64_t latest_ = 0;
};

}  // namespace fabricast
