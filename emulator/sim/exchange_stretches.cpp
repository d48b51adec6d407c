// The part of ExchangeEvaluation that sends from part to part of a group, at a constant pace.
#include <algorithm>
#include <vector>

#include "emulator/sim/exchange_evaluation.hpp"

namespace fabricast {

// From each member to those above it. Before it parts know what comes from below and above in
// themselves, after it in all of the group.
void ExchangeEvaluation::upwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_upwards(group);
  for (std::int32_t g = group.first; g < group.last; ++g) upwards(this->group(g));
  add_up(group);
  const std::vector<Part> parts = parts_of(group);
  const std::size_t kind = group.between;
  for (const Run& run : pairs_.runs(group.begin, group.end)) {
    const auto past = std::partition_point(parts.begin(), parts.end(),
                                           [&run](const Part& part) { return part.end < run.end; });
    const Parts senders(parts.begin(), past);
    begin_stretches(senders, kind, run);
    to_parts_above(parts, kind, run);
    end_stretches(senders, kind, run,
                  [&run](const Part& part) { return run.end - std::max(run.begin, part.end); });
  }
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      const std::size_t c = pairs_.class_of(y);
      below_[part.at(y)] += received(c, part.begin);
      above_[part.at(y)] += received(c, group.end) - received(c, part.end);
    }
  }
}

// From each member to those below it, whom it reaches last, and in them from the lowest upwards.
void ExchangeEvaluation::downwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_downwards(group);
  add_up(group);
  const std::vector<Part> parts = parts_of(group);
  const std::size_t kind = group.between;
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      const std::size_t c = pairs_.class_of(y);
      above_[part.at(y)] -= received(c, group.end) - received(c, part.end);
    }
  }
  for (const Run& run : pairs_.runs(group.begin, group.end)) {
    const auto first = std::partition_point(
        parts.begin(), parts.end(), [&run](const Part& part) { return part.begin <= run.begin; });
    const Parts senders(first, parts.end());
    begin_stretches(senders, kind, run);
    to_parts_below(parts, kind, run, [&run](const Part&) { return std::int64_t{run.begin}; });
    end_stretches(senders, kind, run,
                  [&run](const Part& part) { return std::min(run.end, part.begin) - run.begin; });
  }
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      latest_ = std::max(latest_, senders_[part.at(x)].lane);
    }
  }
  for (std::int32_t g = group.first; g < group.last; ++g) downwards(this->group(g));
}

// To the parts above and, without a pause, round to those below. Of one class.
void ExchangeEvaluation::to_all_others(const ExchangeGroup& whole, const std::vector<Part>& parts) {
  const std::size_t kind = whole.between;
  const Run all{whole.begin, whole.end, 0};
  add_up(whole);
  for_first_ones(parts, [&](const Part& part, const ExchangeGroup*) {
    begin_stretches({&part, 1}, kind, all);
  });
  to_parts_above(parts, kind, all);
  to_parts_below(parts, kind, all, [this](const Part& part) { return part.end - positions_; });
  for_first_ones(parts, [&](const Part& part, const ExchangeGroup*) {
    end_stretches({&part, 1}, kind, all,
                  [this](const Part& one) { return positions_ - (one.end - one.begin); });
  });
}

void ExchangeEvaluation::begin_stretches(Parts parts, std::size_t kind, const Run& run) {
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      senders_[part.at(x)].begin_stretch(pairs_.of(pairs_.class_of(x), run.of_class, kind));
    }
  }
}

template <class Peers>
void ExchangeEvaluation::end_stretches(Parts parts, std::size_t kind, const Run& run, Peers peers) {
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      senders_[part.at(x)].end_stretch(pairs_.of(pairs_.class_of(x), run.of_class, kind),
                                       peers(part) * slices_);
    }
  }
}

// In a stretch message j = 1, 2, ... is ready at a clock + latency + j * pace. Visits both clocks
// with the pace and what a peer takes after it: of all slices the first or the last one counts.
template <class Visit>
void ExchangeEvaluation::for_clocks(std::size_t kind, std::size_t of_receivers, Visit visit) {
  for (const Clock which : {Clock::lane, Clock::port}) {
    for (std::size_t c = 0; c < paces_.size(); ++c) {
      const PairCosts& pair = pairs_.of(c, of_receivers, kind);
      const std::int64_t pace = which == Clock::lane ? pair.lane : pair.port;
      const std::int64_t slice = pace >= pair.at_peer ? slices_ : 1;
      paces_[c] = {slices_ * pace,
                   pair.latency + pace * slice + (slices_ - slice + 1) * pair.at_peer};
    }
    std::fill(best_.begin(), best_.end(), none);
    visit(which);
  }
}

// Message by message from the end of the own part, or the begin of the run, on. What y has left
// after x is all that does not come from [x, y).
void ExchangeEvaluation::to_parts_above(Parts parts, std::size_t kind, const Run& run) {
  for_clocks(kind, run.of_class, [&](Clock which) {
    for (const Part& part : parts) {  // best_: of all senders in earlier ones
      const std::int64_t below = received(run.of_class, part.begin);
      const std::int32_t last = std::min(part.end, run.end);
      for (std::size_t c = 0; c < best_.size(); ++c) {
        if (best_[c] == none) continue;
        const Pace pace = paces_[c];
        const std::int64_t best = best_[c] + pace.at_peer - below;
        for (std::int32_t y = std::max(part.begin, run.begin); y < last; ++y) {
          const std::int64_t left = total_[part.at(y)] - below_[part.at(y)];
          latest_ = std::max(latest_, best + pace.per_peer * y + left);
        }
      }
      if (part.end >= run.end) break;
      const std::int32_t first = std::max(run.begin, part.end);
      for (std::int32_t x = part.begin; x < part.end; ++x) {
        const std::size_t c = pairs_.class_of(x);
        best_[c] = std::max(best_[c], clock(part.at(x), which) - paces_[c].per_peer * first +
                                          received(run.of_class, x));
      }
    }
  });
}

// Message by message from `origin` on. What y has left after x is what comes from (y, x).
template <class Origin>
void ExchangeEvaluation::to_parts_below(Parts parts, std::size_t kind, const Run& run,
                                        Origin origin) {
  for_clocks(kind, run.of_class, [&](Clock which) {
    for (const Part& part : parts) {  // best_: of all receivers in earlier ones
      for (std::int32_t x = part.begin; best_[0] > none && x < part.end; ++x) {
        const std::size_t c = pairs_.class_of(x);
        latest_ = std::max(latest_, clock(part.at(x), which) - paces_[c].per_peer * origin(part) +
                                        received(run.of_class, x) + best_[c] + paces_[c].at_peer);
      }
      const std::int64_t own = received(run.of_class, part.end);
      const std::int32_t last = std::min(part.end, run.end);
      for (std::size_t c = 0; c < best_.size(); ++c) {
        for (std::int32_t y = std::max(part.begin, run.begin); y < last; ++y) {
          best_[c] = std::max(best_[c], paces_[c].per_peer * y + above_[part.at(y)] - own);
        }
      }
    }
  });
}

}  // namespace fabricast
