// One evaluation of a pairwise exchange: the state behind pairwise_exchange.hpp.
//
// exchange_end.cpp has the order of levels and the pairs one by one, exchange_stretches.cpp what a
// group does between its parts. Not thread safe; O(positions) memory. Times in ps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

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
// receivers changes (a stretch may be parted anywhere), while senders of one class are taken
// together.
class ExchangeEvaluation {
 public:
  explicit ExchangeEvaluation(const PairwiseExchange& exchange)
      : pairs_(exchange.costs),
        groups_(exchange.costs.groups.groups),
        positions_(groups_.front().end),
        slices_(exchange.slices),
        senders_(static_cast<std::size_t>(positions_), {exchange.ready_at, 0}),
        total_(senders_.size(), 0),
        below_(senders_.size(), 0),
        above_(senders_.size(), 0),
        received_(pairs_.classes()),
        paces_(pairs_.classes()),
        best_(pairs_.classes()) {}

  std::int64_t end();

 private:
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min() / 4;

  // A part of a group, and where its state lies.
  struct Part {
    std::int32_t begin = 0, end = 0, first = 0;
    std::size_t at(std::int32_t x) const { return static_cast<std::size_t>(x - begin + first); }
  };
  enum class Clock : std::uint8_t { lane, port };

  std::vector<Part> parts_of(const ExchangeGroup& group) const;
  const ExchangeGroup& group(std::int32_t g) const { return groups_[static_cast<std::size_t>(g)]; }

  // Visits the parts of the whole that are alike to no earlier one; null: a position.
  template <class Visit>
  void for_first_ones(const std::vector<Part>& parts, Visit visit) const {
    const ExchangeGroup& whole = groups_.front();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].first != parts[i].begin) continue;
      visit(parts[i], whole.parts == ExchangeGroup::Parts::groups
                          ? &group(whole.first + static_cast<std::int32_t>(i))
                          : nullptr);
    }
  }

  using Parts = std::span<const Part>;
  using Run = ExchangePairs::Run;
  // Of a clock: what it takes to get one peer further, and what one takes after it has been
  // reached.
  struct Pace {
    std::int64_t per_peer = 0, at_peer = 0;
  };

  void sum(const ExchangeGroup& group);
  void upwards(const ExchangeGroup& group);
  void downwards(const ExchangeGroup& group);
  void to_all_others(const ExchangeGroup& whole, const std::vector<Part>& parts);
  void one_by_one_upwards(const ExchangeGroup& group);
  void one_by_one_downwards(const ExchangeGroup& group);
  template <class Visit>
  void for_clocks(std::size_t kind, std::size_t of_receivers, Visit visit);
  void to_parts_above(Parts parts, std::size_t kind, const Run& run);
  template <class Origin>
  void to_parts_below(Parts parts, std::size_t kind, const Run& run, Origin origin);
  void begin_stretches(Parts parts, std::size_t kind, const Run& run);
  template <class Peers>
  void end_stretches(Parts parts, std::size_t kind, const Run& run, Peers peers);
  void add_up(const ExchangeGroup& group);

  // Of one class, all that comes from members of the group last added up that are below x.
  std::int64_t received(std::size_t of_class, std::int32_t x) const {
    return received_[of_class][static_cast<std::size_t>(x - added_from_)];
  }
  std::int64_t clock(std::size_t x, Clock which) const {
    return which == Clock::lane ? senders_[x].lane : senders_[x].port;
  }

  ExchangePairs pairs_;
  const std::vector<ExchangeGroup>& groups_;
  std::int64_t positions_;
  std::int64_t slices_;
  std::vector<ExchangeSender> senders_;
  std::vector<std::int64_t> total_;  // to receive from all others
  // To receive from those below and above in the group that was last looked at.
  std::vector<std::int64_t> below_, above_;
  std::vector<std::vector<std::int64_t>> received_;  // [class of the receiver][position]
  std::int32_t added_from_ = 0;
  std::vector<Pace> paces_;         // by class of the sender, in a stretch
  std::vector<std::int64_t> best_;  // likewise
  std::int64_t latest_ = 0;
};

}  // namespace fabricast
