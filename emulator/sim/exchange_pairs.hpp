// What a message costs both ends of a pair, and the stretches in which it stays the same.
//
// For pairwise_exchange.hpp: ExchangeCosts in one table by [class of x][class of y][kind], and the
// runs of positions of one class. Where positions are of one class, there is one run. Immutable
// but for row(), which fills a buffer; O(positions) to build, O(1) per question. Times in ps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "emulator/cost/exchange_costs.hpp"

namespace fabricast {

struct PairCosts {
  std::int64_t lane = 0, port = 0, latency = 0;  // of x, which sends to y
  std::int64_t at_peer = 0;                      // y receives it
  std::int64_t back = 0;                         // x receives one of y
};

class ExchangePairs {
 public:
  // Positions [begin, end) of one class.
  struct Run {
    std::int32_t begin = 0, end = 0;
    std::size_t of_class = 0;
  };

  explicit ExchangePairs(const ExchangeCosts& costs)
      : costs_(costs),
        count_(costs.groups.class_count),
        kinds_(costs.send_lane.size() / (count_ * count_)) {
    for (std::size_t x = 0; x < count_; ++x) {
      for (std::size_t y = 0; y < count_; ++y) {
        for (std::size_t kind = 0; kind < kinds_; ++kind) {
          const std::size_t there = (x * count_ + y) * kinds_ + kind;
          const std::size_t back = (y * count_ + x) * kinds_ + kind;
          pairs_.push_back({costs.send_lane[there], costs.send_port[there],
                            costs.send_latency[there], costs.receive_lane[back],
                            costs.receive_lane[there]});
        }
      }
    }
  }

  std::size_t classes() const { return count_; }
  std::size_t class_of(std::int32_t x) const {
    return count_ == 1 ? 0 : costs_.groups.classes[static_cast<std::size_t>(x)];
  }

  // From positions of class x to those of class y.
  const PairCosts& of(std::size_t x, std::size_t y, std::size_t kind) const {
    return pairs_[(x * count_ + y) * kinds_ + kind];
  }

  // Of x with each of [begin, end): which of from(x). Until the next call.
  std::span<const std::uint16_t> row(std::int32_t x, std::int32_t begin, std::int32_t end) {
    row_.resize(static_cast<std::size_t>(end - begin));
    if (row_.empty()) return row_;
    costs_.kinds_of_pairs(x, begin, row_);
    for (std::size_t i = 0; count_ > 1 && i < row_.size(); ++i) {
      const auto y = static_cast<std::size_t>(begin) + i;
      row_[i] = static_cast<std::uint16_t>(row_[i] + costs_.groups.classes[y] * kinds_);
    }
    return row_;
  }
  const PairCosts* from(std::int32_t x) const {
    return pairs_.data() + class_of(x) * count_ * kinds_;
  }

  std::vector<Run> runs(std::int32_t begin, std::int32_t end) const {
    std::vector<Run> runs;
    if (count_ == 1) return {{begin, end, 0}};
    for (std::int32_t x = begin; x < end; ++x) {
      const std::size_t of_class = class_of(x);
      if (runs.empty() || runs.back().of_class != of_class) runs.push_back({x, x, of_class});
      runs.back().end = x + 1;
    }
    return runs;
  }

 private:
  const ExchangeCosts& costs_;
  std::size_t count_, kinds_;
  std::vector<PairCosts> pairs_;
  std::vector<std::uint16_t> row_;
};

}  // namespace fabricast
