#include "emulator/sim/exchange_between.hpp"

#include <algorithm>
#include <limits>

namespace fabricast {

ExchangeBetween::ExchangeBetween(const ExchangePairs& pairs, const ExchangeGroups& groups,
                                 const ExchangeGroup& group)
    : pairs_(&pairs),
      pattern_(&groups.patterns[group.pattern]),
      period_(static_cast<std::int32_t>(pattern_->labels.size())),
      labels_(pattern_->count),
      sorts_(pairs.classes() * labels_) {
  for (std::size_t x = 0; x < sorts_; ++x) {
    for (std::size_t y = 0; y < sorts_; ++y) {
      const bool alike = x % labels_ == y % labels_;
      costs_.push_back(
          pairs.of(x / labels_, y / labels_, alike ? group.between : group.between_unlike));
    }
  }
}

ExchangePaces::ExchangePaces(const ExchangeBetween& between, std::size_t of_class,
                             std::int64_t slices)
    : period_(between.period()), sorts_(between.sorts()), slices_(slices) {
  const std::size_t cells = static_cast<std::size_t>(period_) * sorts_;
  for (const std::size_t clock : {0, 1}) {
    per_period_[clock].assign(sorts_, 0);
    before_[clock].assign(cells, 0);
    reach_[clock].assign(cells, 0);
  }
  ahead_.assign(cells, 0);
  std::vector<PairCosts> round(static_cast<std::size_t>(period_));
  for (std::size_t sort = 0; sort < sorts_; ++sort) {
    for (std::int32_t y = 0; y < period_; ++y) {
      round[static_cast<std::size_t>(y)] =
          between.of(sort, of_class * between.labels() + between.label_of(y));
    }
    add(sort, round);
  }
}

void ExchangePaces::add(std::size_t sort, std::span<const PairCosts> round) {
  const std::size_t period = round.size();
  auto& [lane_period, port_period] = per_period_;
  for (std::size_t y = 0; y < period; ++y) {
    before_[0][index(y, sort)] = lane_period[sort];
    before_[1][index(y, sort)] = port_period[sort];
    lane_period[sort] += slices_ * round[y].lane;
    port_period[sort] += slices_ * round[y].port;
  }
  for (std::size_t y = 0; y < period; ++y) {
    // Back from y: what the start of an earlier message makes the port be ahead of the lane.
    constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min() / 4;
    std::int64_t lane_took = 0, port_took = 0, ahead = none, ahead_but_first = none;
    for (std::size_t back = 1; back <= period; ++back) {
      const PairCosts& pair = round[(y + period - back) % period];
      lane_took += slices_ * pair.lane;
      ahead_but_first = ahead;
      ahead = std::max(ahead, std::max(slices_ * pair.port, (slices_ - 1) * pair.lane + pair.port) +
                                  port_took - lane_took);
      port_took += slices_ * pair.port;
    }
    ahead_[index(y, sort)] = ahead;
    // Ready times are convex in the slice, what is left is linear: the first or the last one
    // counts.
    const PairCosts& pair = round[y];
    std::int64_t by_lane = none, by_port = none;
    for (const std::int64_t slice : {std::int64_t{1}, slices_}) {
      const std::int64_t left = pair.latency + (slices_ - slice + 1) * pair.at_peer;
      const std::int64_t ready =
          std::max(slice * std::max(pair.lane, pair.port), ahead_but_first + slice * pair.port);
      by_lane = std::max(by_lane, ready + left);
      by_port = std::max(by_port, slice * pair.port + left);
    }
    reach_[0][index(y, sort)] = before_[0][index(y, sort)] + by_lane;
    reach_[1][index(y, sort)] = before_[1][index(y, sort)] + by_port;
  }
}

}  // namespace fabricast
