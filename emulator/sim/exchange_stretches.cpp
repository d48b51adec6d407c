// The part of ExchangeEvaluation that sends from part to part of a group, at paces that come round.
#include <algorithm>
#include <vector>

#include "emulator/sim/exchange_evaluation.hpp"

namespace fabricast {
namespace {

// The latest of what has been seen, by label of the receiver and sort of the sender.
class Latest {
 public:
  Latest(const ExchangeBetween& between, std::int64_t none)
      : sorts_(between.sorts()), of_(between.labels() * sorts_, none) {}
  std::int64_t* of_label(std::size_t label) { return of_.data() + label * sorts_; }

 private:
  std::size_t sorts_;
  std::vector<std::int64_t> of_;
};

}  // namespace

// From each member to those above it. Before it parts know what comes from below and above in
// themselves, after it in all of the group.
void ExchangeEvaluation::upwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_upwards(group);
  for (std::int32_t g = group.first; g < group.last; ++g) upwards(this->group(g));
  look_at(group);
  const std::vector<Part> parts = parts_of(group);
  leave_upwards(parts);
  for (const Run& run : pairs_.runs(group.begin, group.end)) {
    const auto past = std::partition_point(parts.begin(), parts.end(),
                                           [&run](const Part& part) { return part.end < run.end; });
    const Parts senders(parts.begin(), past);
    const auto from = [&run](const Part& part) { return std::max(run.begin, part.end); };
    const auto to = [&run](const Part&) { return run.end; };
    paces_.emplace(*between_, run.of_class, slices_);
    begin_stretches(senders, run, from, to);
    to_parts_above(senders, run);
    end_stretches(senders, run, from, to);
  }
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      const std::size_t sort = between_->sort_of(y);
      below_[part.at(y)] += received(part.begin, sort);
      above_[part.at(y)] += received(group.end, sort) - received(part.end, sort);
    }
  }
}

// From each member to those below it, whom it reaches last, and in them from the lowest upwards.
void ExchangeEvaluation::downwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_downwards(group);
  look_at(group);
  const std::vector<Part> parts = parts_of(group);
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      const std::size_t sort = between_->sort_of(y);
      above_[part.at(y)] -= received(group.end, sort) - received(part.end, sort);
    }
  }
  leave_downwards(parts, 0);
  for (const Run& run : pairs_.runs(group.begin, group.end)) {
    const auto first = std::partition_point(
        parts.begin(), parts.end(), [&run](const Part& part) { return part.begin <= run.begin; });
    const Parts senders(first, parts.end());
    const auto from = [&run](const Part&) { return run.begin; };
    const auto to = [&run](const Part& part) { return std::min(run.end, part.begin); };
    paces_.emplace(*between_, run.of_class, slices_);
    begin_stretches(senders, run, from, to);
    to_parts_below(senders, run, from, 0);
    end_stretches(senders, run, from, to);
  }
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      latest_ = std::max(latest_, senders_[part.at(x)].lane);
    }
  }
  for (std::int32_t g = group.first; g < group.last; ++g) downwards(this->group(g));
}

// To the parts above and, without a pause, round to those below. Of one class.
void ExchangeEvaluation::to_all_others(const ExchangeGroup& whole) {
  const std::vector<Part> parts = parts_of(whole);
  const Run all{whole.begin, whole.end, 0};
  look_at(whole);
  leave_upwards(parts);
  leave_downwards(parts, positions_);
  const auto from = [](const Part& part) { return part.end; };
  const auto to = [this](const Part& part) { return part.begin + positions_; };
  paces_.emplace(*between_, 0, slices_);
  begin_stretches(parts, all, from, to);
  to_parts_above(parts, all);
  to_parts_below(
      parts, all, [this](const Part& part) { return part.end - positions_; }, positions_);
  end_stretches(parts, all, from, to);
}

// Adds up what members receive from those of other parts, as if their own were others too.
void ExchangeEvaluation::look_at(const ExchangeGroup& group) {
  between_.emplace(pairs_, all_, group);
  from_ = group.begin;
  const std::size_t sorts = between_->sorts();
  received_.assign(sorts, 0);
  received_.reserve((static_cast<std::size_t>(group.end - group.begin) + 1) * sorts);
  for (std::int32_t x = group.begin; x < group.end; ++x) {
    const std::size_t sort = between_->sort_of(x);
    for (std::size_t y = 0; y < sorts; ++y) {
      received_.push_back(received_[received_.size() - sorts] +
                          slices_ * between_->of(sort, y).at_peer);
    }
  }
}

// After x, y has left all that does not come from [x, y).
void ExchangeEvaluation::leave_upwards(Parts parts) {
  left_.resize(static_cast<std::size_t>(parts.back().end - from_));
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      left(y) =
          total_[part.at(y)] - below_[part.at(y)] - received(part.begin, between_->sort_of(y));
    }
  }
}

// It has left what comes from (y, x).
void ExchangeEvaluation::leave_downwards(Parts parts, std::int32_t unrolled) {
  left_.resize(static_cast<std::size_t>(parts.back().end - from_ + unrolled));
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      left(y + unrolled) = above_[part.at(y)] - received(part.end, between_->sort_of(y));
    }
  }
}

// To [from, to) as to as many as settle it. Parts that are alike begin with the same clocks, and
// the first of them, which comes last here, keeps what becomes of them.
template <class From, class To>
void ExchangeEvaluation::begin_stretches(Parts parts, const Run& run, From from, To to) {
  const std::size_t first_sort = run.of_class * between_->labels();
  const std::int32_t settling = paces_->settling();
  for (std::size_t p = parts.size(); p-- > 0;) {
    const Part& part = parts[p];
    if (settling == 0 && !part.is_first()) continue;
    const std::int32_t end = std::min(from(part) + settling, to(part));
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      const std::size_t sort = between_->sort_of(x);
      ExchangeSender sender = senders_[part.at(x)];
      if (settling == 0) sender.begin_stretch(between_->of(sort, first_sort));
      for (std::int32_t y = from(part); y < end; ++y) {
        const std::size_t of_y = first_sort + between_->label_of(y);
        latest_ = std::max(
            latest_, sender.send(between_->of(sort, of_y), slices_, left(y) + received(x, of_y)));
      }
      if (part.is_first()) senders_[part.at(x)] = sender;
    }
  }
}

template <class From, class To>
void ExchangeEvaluation::end_stretches(Parts parts, const Run& run, From from, To to) {
  const std::size_t first_sort = run.of_class * between_->labels();
  for (const Part& part : parts) {
    if (!part.is_first()) continue;
    const std::int32_t end = to(part), begin = std::min(from(part) + paces_->settling(), end);
    if (begin == end) continue;
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      const std::size_t sort = between_->sort_of(x);
      ExchangeSender& sender = senders_[part.at(x)];
      if (end - begin < between_->period()) {
        for (std::int32_t y = begin; y < end; ++y) {
          const PairCosts& pair = between_->of(sort, first_sort + between_->label_of(y));
          sender.begin_stretch(pair);
          sender.end_stretch(pair, slices_);
        }
        continue;
      }
      const auto gained = [&](std::size_t clock) {
        return paces_->before(clock, sort, end) - paces_->before(clock, sort, begin);
      };
      sender.lane += gained(ExchangePaces::lane);
      sender.port = std::max(sender.port + gained(ExchangePaces::port),
                             sender.lane + paces_->port_ahead(sort, end));
    }
  }
}

// Message by message from the end of the own part, or the begin of the run, on.
void ExchangeEvaluation::to_parts_above(Parts senders, const Run& run) {
  const std::size_t sorts = between_->sorts(), labels = between_->labels();
  for (const std::size_t which : {ExchangePaces::lane, ExchangePaces::port}) {
    Latest latest(*between_, none);  // of all senders that have settled
    const std::int64_t* per_period = paces_->per_period(which);
    std::int32_t y = run.begin;
    const auto advance = [&](std::int32_t end) {
      for (; y < end; ++y) {
        const std::int64_t* of_y = latest.of_label(between_->label_of(y));
        const std::int64_t* reach = paces_->reach(which, y);
        const std::int64_t periods = y / between_->period();
        std::int64_t through = none;
        for (std::size_t sort = 0; sort < sorts; ++sort) {
          through = std::max(through, of_y[sort] + per_period[sort] * periods + reach[sort]);
        }
        latest_ = std::max(latest_, through + left(y));
      }
    };
    for (const Part& part : senders) {
      const std::int32_t settled = std::max(run.begin, part.end) + paces_->settling();
      if (settled >= run.end) break;
      advance(settled);
      for (std::int32_t x = part.begin; x < part.end; ++x) {
        const std::size_t sort = between_->sort_of(x);
        const std::int64_t start = clock(part.at(x), which) - paces_->before(which, sort, settled);
        for (std::size_t label = 0; label < labels; ++label) {
          std::int64_t& known = latest.of_label(label)[sort];
          known = std::max(known, start + received(x, run.of_class * labels + label));
        }
      }
    }
    advance(run.end);
  }
}

// Message by message from `origin` on.
template <class Origin>
void ExchangeEvaluation::to_parts_below(Parts senders, const Run& run, Origin origin,
                                        std::int32_t unrolled) {
  const std::size_t sorts = between_->sorts(), labels = between_->labels();
  const std::int32_t settled = std::min(run.begin + paces_->settling(), run.end);
  for (const std::size_t which : {ExchangePaces::lane, ExchangePaces::port}) {
    // Of all receivers so far; the first ones are left out by who settles with them.
    Latest first(*between_, none), later(*between_, none);
    const std::int64_t* per_period = paces_->per_period(which);
    std::int32_t y = run.begin;
    const auto advance = [&](Latest& latest, std::int32_t end) {
      for (; y < end; ++y) {
        std::int64_t* of_y = latest.of_label(between_->label_of(y));
        const std::int64_t* reach = paces_->reach(which, y);
        const std::int64_t periods = y / between_->period();
        for (std::size_t sort = 0; sort < sorts; ++sort) {
          of_y[sort] =
              std::max(of_y[sort], per_period[sort] * periods + reach[sort] + left(y + unrolled));
        }
      }
    };
    for (const Part& part : senders) {
      const std::int32_t end = std::min(run.end, part.begin);
      advance(first, std::min(settled, end));
      advance(later, end);
      const std::int32_t since = origin(part) + paces_->settling();
      for (std::int32_t x = part.begin; x < part.end; ++x) {
        const std::size_t sort = between_->sort_of(x);
        const std::int64_t start = clock(part.at(x), which) - paces_->before(which, sort, since);
        for (std::size_t label = 0; label < labels; ++label) {
          std::int64_t through = later.of_label(label)[sort];
          if (since <= run.begin) through = std::max(through, first.of_label(label)[sort]);
          latest_ = std::max(latest_, start + through + received(x, run.of_class * labels + label));
        }
      }
    }
  }
}

}  // namespace fabricast
