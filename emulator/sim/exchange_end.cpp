// The evaluation behind pairwise_exchange.hpp.
#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/sim/pairwise_exchange.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min() / 4;

// The clocks of a sending lane.
struct Sender {
  std::int64_t lane = 0, port = 0;

  // Messages j = 1 ... count at one pace (header): the larger of lane + j * lane_cost and
  // port + j * port_cost, to which the caller adds the latency. Moves `port` to make it so.
  void begin_stretch(std::int64_t lane_cost, std::int64_t port_cost) {
    if (port_cost >= lane_cost) port = std::max(port, lane);
  }
  void end_stretch(std::int64_t lane_cost, std::int64_t port_cost, std::int64_t count) {
    if (count == 0) return;
    const std::int64_t last_start = lane + (count - 1) * lane_cost;
    port = std::max(port + count * port_cost, last_start + port_cost);
    lane += count * lane_cost;
  }
};

// What is the same for all groups that are alike lives at the positions of the first of them.
class Evaluation {
 public:
  explicit Evaluation(const PairwiseExchange& exchange)
      : of_(exchange),
        groups_(exchange.costs.groups.groups),
        positions_(groups_.front().end),
        slices_(exchange.slices),
        senders_(static_cast<std::size_t>(positions_), {exchange.ready_at, 0}),
        total_(senders_.size(), 0),
        below_(senders_.size(), 0),
        above_(senders_.size(), 0) {}

  std::int64_t end() {
    const ExchangeGroup& whole = groups_.front();
    if (whole.parts == ExchangeGroup::Parts::none) {
      sum(whole);
      upwards(whole);
      downwards(whole);
      return latest_;
    }
    const std::int64_t receive = slices_ * of_.costs.receive_lane[whole.between];
    const std::vector<Part> parts = parts_of(whole);
    for_first_ones(parts, [&](const Part& part, const ExchangeGroup* group) {
      if (group != nullptr) sum(*group);
      for (std::size_t y = part.at(part.begin); y < part.at(part.end); ++y) {
        total_[y] += receive * (positions_ - (part.end - part.begin));
      }
    });
    for_first_ones(parts, [&](const Part&, const ExchangeGroup* group) {
      if (group != nullptr) upwards(*group);
    });
    to_all_others(whole, parts);
    for_first_ones(parts, [&](const Part& part, const ExchangeGroup* group) {
      if (group != nullptr) return downwards(*group);
      latest_ = std::max(latest_, senders_[part.at(part.begin)].lane);
    });
    return latest_;
  }

 private:
  // A part of a group, and where its state lies.
  struct Part {
    std::int32_t begin = 0, end = 0, first = 0;
    std::size_t at(std::int32_t x) const { return static_cast<std::size_t>(x - begin + first); }
  };
  enum class Clock : std::uint8_t { lane, port };

  std::vector<Part> parts_of(const ExchangeGroup& group) const {
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

  // Of pairs (x, y), begin <= y < end; until the next call.
  std::span<const std::uint16_t> kinds_of(std::int32_t x, std::int32_t begin, std::int32_t end) {
    kinds_.resize(static_cast<std::size_t>(end - begin));
    if (!kinds_.empty()) of_.costs.kinds_of_pairs(x, begin, kinds_);
    return kinds_;
  }
  void sum(const ExchangeGroup& group);
  void upwards(const ExchangeGroup& group);
  void downwards(const ExchangeGroup& group);
  void to_all_others(const ExchangeGroup& whole, const std::vector<Part>& parts);
  void to_member(Sender& sender, std::size_t kind, std::int64_t left);
  void one_by_one_upwards(const ExchangeGroup& group);
  void one_by_one_downwards(const ExchangeGroup& group);
  template <class Visit>
  void for_clocks(std::size_t kind, Visit visit) const;
  void to_parts_above(const std::vector<Part>& parts, std::size_t kind);
  template <class Origin>
  void to_parts_below(const std::vector<Part>& parts, std::size_t kind, Origin origin);
  void begin_stretches(const std::vector<Part>& parts, std::size_t kind);

  std::int64_t clock(std::size_t x, Clock which) const {
    return which == Clock::lane ? senders_[x].lane : senders_[x].port;
  }

  const PairwiseExchange& of_;
  const std::vector<ExchangeGroup>& groups_;
  std::int64_t positions_;
  std::int64_t slices_;
  std::vector<Sender> senders_;
  std::vector<std::int64_t> total_;  // to receive from all others
  // To receive from those below and above in the group that was last looked at.
  std::vector<std::int64_t> below_, above_;
  std::vector<std::uint16_t> kinds_;
  std::int64_t latest_ = 0;
};

// All slices to one peer, who has `left` to receive after them.
void Evaluation::to_member(Sender& sender, std::size_t kind, std::int64_t left) {
  const std::int64_t lane_cost = of_.costs.send_lane[kind];
  const std::int64_t port_cost = of_.costs.send_port[kind];
  const std::int64_t receive = of_.costs.receive_lane[kind];
  sender.begin_stretch(lane_cost, port_cost);
  // Ready times are convex in the slice, what is left is linear: the first or the last one counts.
  for (const std::int64_t slice : {std::int64_t{1}, slices_}) {
    const std::int64_t ready =
        std::max(sender.lane + slice * lane_cost, sender.port + slice * port_cost) +
        of_.costs.send_latency[kind];
    latest_ = std::max(latest_, ready + (slices_ - slice + 1) * receive + left);
  }
  sender.end_stretch(lane_cost, port_cost, slices_);
}

// What members have to receive from each other.
void Evaluation::sum(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) {
    for (std::int32_t x = group.begin; x < group.end; ++x) {
      const std::span<const std::uint16_t> kinds = kinds_of(x, x + 1, group.end);
      const auto from = static_cast<std::size_t>(x);
      for (std::size_t i = 0; i < kinds.size(); ++i) {
        const std::int64_t receive = slices_ * of_.costs.receive_lane[kinds[i]];
        below_[from + 1 + i] += receive;
        above_[from] += receive;
        total_[from + 1 + i] += receive;
        total_[from] += receive;
      }
    }
    return;
  }
  for (std::int32_t g = group.first; g < group.last; ++g) sum(this->group(g));
  const std::int64_t receive = slices_ * of_.costs.receive_lane[group.between];
  for (const Part& part : parts_of(group)) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      total_[part.at(y)] += receive * (group.end - group.begin - (part.end - part.begin));
    }
  }
}

// From each member to those above it. Before it parts know what comes from below and above in
// themselves, after it in all of the group.
void Evaluation::upwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_upwards(group);
  for (std::int32_t g = group.first; g < group.last; ++g) upwards(this->group(g));
  const std::vector<Part> parts = parts_of(group);
  const std::size_t kind = group.between;
  begin_stretches(parts, kind);
  to_parts_above(parts, kind);
  const std::int64_t receive = slices_ * of_.costs.receive_lane[kind];
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      senders_[part.at(x)].end_stretch(of_.costs.send_lane[kind], of_.costs.send_port[kind],
                                       (group.end - part.end) * slices_);
      below_[part.at(x)] += receive * (part.begin - group.begin);
      above_[part.at(x)] += receive * (group.end - part.end);
    }
  }
}

// From each member to those below it, whom it reaches last, and in them from the lowest upwards.
void Evaluation::downwards(const ExchangeGroup& group) {
  if (group.parts == ExchangeGroup::Parts::none) return one_by_one_downwards(group);
  const std::vector<Part> parts = parts_of(group);
  const std::size_t kind = group.between;
  const std::int64_t receive = slices_ * of_.costs.receive_lane[kind];
  for (const Part& part : parts) {
    for (std::int32_t y = part.begin; y < part.end; ++y) {
      above_[part.at(y)] -= receive * (group.end - part.end);
    }
  }
  begin_stretches(parts, kind);
  to_parts_below(parts, kind, [&group](const Part&) { return std::int64_t{group.begin}; });
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      Sender& sender = senders_[part.at(x)];
      sender.end_stretch(of_.costs.send_lane[kind], of_.costs.send_port[kind],
                         (part.begin - group.begin) * slices_);
      latest_ = std::max(latest_, sender.lane);
    }
  }
  for (std::int32_t g = group.first; g < group.last; ++g) downwards(this->group(g));
}

// To the parts above and, without a pause, round to those below.
void Evaluation::to_all_others(const ExchangeGroup& whole, const std::vector<Part>& parts) {
  const std::size_t kind = whole.between;
  for_first_ones(parts,
                 [&](const Part& part, const ExchangeGroup*) { begin_stretches({part}, kind); });
  to_parts_above(parts, kind);
  to_parts_below(parts, kind, [this](const Part& part) { return part.end - positions_; });
  for_first_ones(parts, [&](const Part& part, const ExchangeGroup*) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      senders_[part.at(x)].end_stretch(of_.costs.send_lane[kind], of_.costs.send_port[kind],
                                       (positions_ - (part.end - part.begin)) * slices_);
    }
  });
}

void Evaluation::begin_stretches(const std::vector<Part>& parts, std::size_t kind) {
  for (const Part& part : parts) {
    for (std::int32_t x = part.begin; x < part.end; ++x) {
      senders_[part.at(x)].begin_stretch(of_.costs.send_lane[kind], of_.costs.send_port[kind]);
    }
  }
}

// In a stretch message j = 1, 2, ... is ready at a clock + latency + j * pace. Visits both clocks
// with the pace and what a peer takes after it: of all slices the first or the last one counts.
template <class Visit>
void Evaluation::for_clocks(std::size_t kind, Visit visit) const {
  const std::int64_t receive = of_.costs.receive_lane[kind];
  for (const Clock which : {Clock::lane, Clock::port}) {
    const std::int64_t pace =
        which == Clock::lane ? of_.costs.send_lane[kind] : of_.costs.send_port[kind];
    const std::int64_t slice = pace >= receive ? slices_ : 1;
    visit(which, slices_ * pace,
          of_.costs.send_latency[kind] + pace * slice + (slices_ - slice + 1) * receive);
  }
}

// Message by message from the end of the own part on. What y has left after x is all that does not
// come from [x, y).
void Evaluation::to_parts_above(const std::vector<Part>& parts, std::size_t kind) {
  const std::int64_t receive = slices_ * of_.costs.receive_lane[kind];
  for_clocks(kind, [&](Clock which, std::int64_t pace, std::int64_t at_peer) {
    std::int64_t best = none;  // of all senders in earlier parts
    for (const Part& part : parts) {
      for (std::int32_t y = part.begin; best > none && y < part.end; ++y) {
        const std::int64_t left = total_[part.at(y)] - below_[part.at(y)] - receive * part.begin;
        latest_ = std::max(latest_, best + pace * y + left + at_peer);
      }
      for (std::int32_t x = part.begin; x < part.end; ++x) {
        best = std::max(best, clock(part.at(x), which) - pace * part.end + receive * x);
      }
    }
  });
}

// Message by message from `origin` on. What y has left after x is what comes from (y, x).
template <class Origin>
void Evaluation::to_parts_below(const std::vector<Part>& parts, std::size_t kind, Origin origin) {
  const std::int64_t receive = slices_ * of_.costs.receive_lane[kind];
  for_clocks(kind, [&](Clock which, std::int64_t pace, std::int64_t at_peer) {
    std::int64_t best = none;  // of all receivers in earlier parts
    for (const Part& part : parts) {
      for (std::int32_t x = part.begin; best > none && x < part.end; ++x) {
        latest_ = std::max(
            latest_, clock(part.at(x), which) - pace * origin(part) + receive * x + best + at_peer);
      }
      for (std::int32_t y = part.begin; y < part.end; ++y) {
        best = std::max(best, pace * y + above_[part.at(y)] - receive * part.end);
      }
    }
  });
}

// By descending senders: what a receiver has left after x is all that does not come from [x, y).
void Evaluation::one_by_one_upwards(const ExchangeGroup& group) {
  std::vector<std::int64_t> left(total_.begin() + group.begin, total_.begin() + group.end);
  for (std::int32_t x = group.end; x-- > group.begin;) {
    Sender sender = senders_[static_cast<std::size_t>(x)];
    const std::span<const std::uint16_t> kinds = kinds_of(x, x + 1, group.end);
    std::int64_t* of_y = left.data() + (x + 1 - group.begin);
    for (const std::uint16_t kind : kinds) {
      *of_y -= slices_ * of_.costs.receive_lane[kind];
      to_member(sender, kind, *of_y++);
    }
    senders_[static_cast<std::size_t>(x)] = sender;
  }
}

// What they have left is (y, x).
void Evaluation::one_by_one_downwards(const ExchangeGroup& group) {
  std::vector<std::int64_t> left(static_cast<std::size_t>(group.end - group.begin), 0);
  for (std::int32_t x = group.begin; x < group.end; ++x) {
    Sender sender = senders_[static_cast<std::size_t>(x)];
    const std::span<const std::uint16_t> kinds = kinds_of(x, group.begin, x);
    std::int64_t* of_y = left.data();
    for (const std::uint16_t kind : kinds) {
      to_member(sender, kind, *of_y);
      *of_y++ += slices_ * of_.costs.receive_lane[kind];
    }
    latest_ = std::max(latest_, sender.lane);
  }
}

}  // namespace

std::int64_t exchange_end(const PairwiseExchange& exchange) {
  FABRICAST_EXPECT(exchange.costs.groups.groups.front().end >= 2, "somebody to exchange with");
  return Evaluation(exchange).end();
}

}  // namespace fabricast
