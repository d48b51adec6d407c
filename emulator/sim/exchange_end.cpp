// The evaluation behind pairwise_exchange.hpp.
#include <algorithm>
#include <span>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/sim/exchange_evaluation.hpp"

namespace fabricast {

std::int64_t ExchangeEvaluation::end() {
  const ExchangeGroup& whole = all_.groups.front();
  sum(whole);
  if (whole.parts == ExchangeGroup::Parts::none || pairs_.classes() > 1) {
    upwards(whole);
    downwards(whole);
    return latest_;
  }
  for_first_groups(whole, [this](const ExchangeGroup& group) { upwards(group); });
  to_all_others(whole);
  for_first_groups(whole, [this](const ExchangeGroup& group) { downwards(group); });
  for (const ExchangeSender& sender : senders_) latest_ = std::max(latest_, sender.lane);
  return latest_;
}

std::vector<ExchangeEvaluation::Part> ExchangeEvaluation::parts_of(
    const ExchangeGroup& group) const {
  std::vector<Part> parts;
  if (group.parts == ExchangeGroup::Parts::positions) {
    for (std::int32_t x = group.begin; x < group.end; ++x) parts.push_back({x, x + 1, x});
  }
  for (std::int32_t g = group.first; g < group.last; ++g) {
    const ExchangeGroup& part = this->group(g);
    parts.push_back({part.begin, part.end, this->group(part.alike_to).begin});
  }
  return parts;
}

// What members have to receive from each other.
void ExchangeEvaluation::sum(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) {
    for (std::int32_t x = group.begin; x < group.end; ++x) {
      const std::span<const std::uint16_t> row = pairs_.row(x, x + 1, group.end);
      const PairCosts* from_x = pairs_.from(x);
      const auto from = static_cast<std::size_t>(x);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const PairCosts& pair = from_x[row[i]];
        below_[from + 1 + i] += slices_ * pair.at_peer;
        above_[from] += slices_ * pair.back;
        total_[from + 1 + i] += slices_ * pair.at_peer;
        total_[from] += slices_ * pair.back;
      }
    }
    return;
  }
  for_first_groups(group, [this](const ExchangeGroup& part) { sum(part); });
  look_at(group);
  for (const Part& part : parts_of(group)) {
    if (!part.is_first()) continue;
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      const std::size_t sort = between_->sort_of(y);
      total_[part.at(y)] +=
          received(group.end, sort) - received(part.end, sort) + received(part.begin, sort);
    }
  }
}

// By descending senders: what a receiver has left after x is all that does not come from [x, y).
void ExchangeEvaluation::one_by_one_upwards(const ExchangeGroup& group) {
  std::vector<std::int64_t> left(total_.begin() + group.begin, total_.begin() + group.end);
  for (std::int32_t x = group.end; x-- > group.begin;) {
    ExchangeSender sender = senders_[static_cast<std::size_t>(x)];
    const PairCosts* from_x = pairs_.from(x);
    std::int64_t* of_y = left.data() + (x + 1 - group.begin);
    std::int64_t latest = latest_;
    for (const std::uint16_t which : pairs_.row(x, x + 1, group.end)) {
      const PairCosts pair = from_x[which];
      *of_y -= slices_ * pair.at_peer;
      latest = std::max(latest, sender.send(pair, slices_, *of_y++));
    }
    latest_ = latest;
    senders_[static_cast<std::size_t>(x)] = sender;
  }
}

// What they have left is (y, x).
void ExchangeEvaluation::one_by_one_downwards(const ExchangeGroup& group) {
  std::vector<std::int64_t> left(static_cast<std::size_t>(group.end - group.begin), 0);
  for (std::int32_t x = group.begin; x < group.end; ++x) {
    ExchangeSender sender = senders_[static_cast<std::size_t>(x)];
    const PairCosts* from_x = pairs_.from(x);
    std::int64_t* of_y = left.data();
    std::int64_t latest = latest_;
    for (const std::uint16_t which : pairs_.row(x, group.begin, x)) {
      const PairCosts pair = from_x[which];
      latest = std::max(latest, sender.send(pair, slices_, *of_y));
      *of_y++ += slices_ * pair.at_peer;
    }
    latest_ = std::max(latest, sender.lane);
  }
}

std::int64_t exchange_end(const PairwiseExchange& exchange) {
  FABRICAST_EXPECT(exchange.costs.groups.groups.front().end >= 2, "somebody to exchange with");
  return ExchangeEvaluation(exchange).end();
}

}  // namespace fabricast
