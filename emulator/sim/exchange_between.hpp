// What messages between the parts of a group cost, and what the clocks of their senders gain.
//
// The sort of a position is its class and its label in the group's pattern (exchange_costs.hpp);
// the sorts of both ends decide the costs of a pair. Over receivers of one class these come round
// with the pattern, so what a clock gains is linear in periods, and a table of one period.
// Immutable; O(sorts^2 + sorts * period^2) to build, O(1) per question. Times in ps.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "emulator/sim/exchange_pairs.hpp"

namespace fabricast {

class ExchangeBetween {
 public:
  ExchangeBetween(const ExchangePairs& pairs, const ExchangeGroups& groups,
                  const ExchangeGroup& group);

  std::int32_t period() const { return period_; }
  std::size_t labels() const { return labels_; }
  std::size_t sorts() const { return sorts_; }
  std::size_t label_of(std::int32_t x) const {
    return period_ == 1 ? 0 : pattern_->labels[static_cast<std::size_t>(x % period_)];
  }
  std::size_t sort_of(std::int32_t x) const { return pairs_->class_of(x) * labels_ + label_of(x); }
  const PairCosts& of(std::size_t from, std::size_t to) const { return costs_[from * sorts_ + to]; }

 private:
  const ExchangePairs* pairs_;
  const ExchangePattern* pattern_;
  std::int32_t period_;
  std::size_t labels_, sorts_;
  std::vector<PairCosts> costs_;  // [sort of the sender][sort of the receiver]
};

// Of senders of all sorts, in a stretch over receivers of one class. When the first `settling`
// messages of a stretch are sent, the next one is through at the larger of, by clock, what the
// clock had then + what it gained since: a message that starts later than the port is free moves
// the port, and of all starts in a stretch that of the last period or of the first one counts.
class ExchangePaces {
 public:
  // Both clocks of a sending lane (ExchangeSender).
  static constexpr std::size_t lane = 0, port = 1;

  ExchangePaces(const ExchangeBetween& between, std::size_t of_class, std::int64_t slices);

  // Messages to send one by one: none at one pace (ExchangeSender::begin_stretch).
  std::int32_t settling() const { return period_ == 1 ? 0 : period_; }

  // What a clock gains by all receivers from position 0 to y, which may be negative.
  std::int64_t before(std::size_t clock, std::size_t sort, std::int32_t y) const {
    const std::int32_t rest = y % period_;
    const std::int32_t within = rest < 0 ? rest + period_ : rest;
    return per_period_[clock][sort] * ((y - within) / period_) +
           before_[clock][index(static_cast<std::size_t>(within), sort)];
  }
  // What it has gained when y is through with its message: by sort, periods before y * period() +
  // reach(y).
  const std::int64_t* per_period(std::size_t clock) const { return per_period_[clock].data(); }
  const std::int64_t* reach(std::size_t clock, std::int32_t y) const {
    return reach_[clock].data() + index(static_cast<std::size_t>(y % period_), 0);
  }
  // How far ahead of the lane the port is, at least, after the receivers before y.
  std::int64_t port_ahead(std::size_t sort, std::int32_t y) const {
    return ahead_[index(static_cast<std::size_t>(y % period_), sort)];
  }

 private:
  void add(std::size_t sort, std::span<const PairCosts> round);
  std::size_t index(std::size_t within, std::size_t sort) const { return within * sorts_ + sort; }

  std::int32_t period_;
  std::size_t sorts_;
  std::int64_t slices_;
  std::array<std::vector<std::int64_t>, 2> per_period_;      // [clock][sort]
  std::array<std::vector<std::int64_t>, 2> before_, reach_;  // [clock][y % period][sort]
  std::vector<std::int64_t> ahead_;                          // [y % period][sort]
};

}  // namespace fabricast
