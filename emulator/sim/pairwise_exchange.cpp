#include "emulator/sim/pairwise_exchange.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/thread_seconds.hpp"
#include "emulator/sim/flat_phases.hpp"

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

class Evaluation {
 public:
  explicit Evaluation(const PairwiseExchange& exchange)
      : of_(exchange), positions_(exchange.costs.groups.begin.back()) {}

  std::int64_t end() {
    const ExchangeGroups& groups = of_.costs.groups;
    const auto count = groups.alike_to.size();
    group_of_.reserve(static_cast<std::size_t>(positions_));
    shapes_.resize(count);
    for (std::size_t g = 0; g < count; ++g) {
      if (groups.alike_to[g] == static_cast<std::int32_t>(g)) upwards(g);
      for (std::int32_t x = groups.begin[g]; x < groups.begin[g + 1]; ++x) {
        group_of_.push_back(static_cast<std::int32_t>(g));
      }
    }
    to_other_groups();
    for (std::size_t g = 0; g < count; ++g) {
      if (groups.alike_to[g] == static_cast<std::int32_t>(g)) from_below(g);
    }
    return latest_;
  }

 private:
  // What groups that are alike have in common, by member.
  struct Shape {
    std::vector<Sender> senders;
    std::vector<std::int64_t> from_below, from_above;  // to receive from members below, above
  };

  void upwards(std::size_t group);
  void to_other_groups();
  void from_below(std::size_t group);
  void to_member(Sender& sender, std::size_t kind, std::int64_t left);
  void far_piece(std::int64_t pace, bool by_port);

  std::int32_t begin(std::int32_t x) const { return of_.costs.groups.begin[group(x)]; }
  std::int32_t end(std::int32_t x) const { return of_.costs.groups.begin[group(x) + 1]; }
  std::size_t group(std::int32_t x) const {
    return static_cast<std::size_t>(group_of_[static_cast<std::size_t>(x)]);
  }
  const Shape& shape(std::int32_t x) const {
    return shapes_[static_cast<std::size_t>(of_.costs.groups.alike_to[group(x)])];
  }
  std::size_t member(std::int32_t x) const { return static_cast<std::size_t>(x - begin(x)); }

  const PairwiseExchange& of_;
  std::int32_t positions_;
  std::vector<std::int32_t> group_of_;
  std::vector<Shape> shapes_;  // of groups that are alike to no earlier one
  std::int64_t latest_ = 0;
};

// All slices to one peer, who has `left` to receive after them.
void Evaluation::to_member(Sender& sender, std::size_t kind, std::int64_t left) {
  const std::int64_t lane_cost = of_.costs.send_lane[kind];
  const std::int64_t port_cost = of_.costs.send_port[kind];
  const std::int64_t receive = of_.costs.receive_lane[kind];
  sender.begin_stretch(lane_cost, port_cost);
  // Ready times are convex in the slice, what is left is linear: the first or the last one counts.
  for (const std::int64_t slice : {std::int64_t{1}, std::int64_t{of_.slices}}) {
    const std::int64_t ready =
        std::max(sender.lane + slice * lane_cost, sender.port + slice * port_cost) +
        of_.costs.send_latency[kind];
    latest_ = std::max(latest_, ready + (of_.slices - slice + 1) * receive + left);
  }
  sender.end_stretch(lane_cost, port_cost, of_.slices);
}

// From each member to those above it, by descending senders: what a receiver has left after x is
// all that does not come from [x, y).
void Evaluation::upwards(std::size_t group) {
  const std::int32_t first = of_.costs.groups.begin[group];
  const std::int32_t last = of_.costs.groups.begin[group + 1];
  const auto members = static_cast<std::size_t>(last - first);
  const std::int64_t slices = of_.slices;
  Shape& shape = shapes_[group];
  shape.senders.assign(members, {of_.ready_at, 0});
  shape.from_below.assign(members, 0);
  shape.from_above.assign(members, 0);
  for (std::int32_t x = first; x < last; ++x) {
    for (std::int32_t y = first; y < last; ++y) {
      if (x == y) continue;
      auto& sum = x < y ? shape.from_below : shape.from_above;
      sum[static_cast<std::size_t>(y - first)] +=
          slices * of_.costs.receive_lane[of_.costs.kind_of_pair(x, y)];
    }
  }
  const std::int64_t far =
      slices * of_.costs.receive_lane[of_.costs.far] * (positions_ - (last - first));
  std::vector<std::int64_t> left(members);
  for (std::size_t y = 0; y < members; ++y) {
    left[y] = shape.from_below[y] + shape.from_above[y] + far;
  }
  for (std::int32_t x = last; x-- > first;) {
    Sender& sender = shape.senders[static_cast<std::size_t>(x - first)];
    for (std::int32_t y = x + 1; y < last; ++y) {
      const std::size_t kind = of_.costs.kind_of_pair(x, y);
      std::int64_t& of_y = left[static_cast<std::size_t>(y - first)];
      of_y -= slices * of_.costs.receive_lane[kind];
      to_member(sender, kind, of_y);
    }
  }
}

// From each member to those below it, whom it reaches last: what they have left is (y, x).
void Evaluation::from_below(std::size_t group) {
  const std::int32_t first = of_.costs.groups.begin[group];
  const std::int32_t last = of_.costs.groups.begin[group + 1];
  std::vector<std::int64_t> left(static_cast<std::size_t>(last - first), 0);
  for (std::int32_t x = first; x < last; ++x) {
    Sender& sender = shapes_[group].senders[static_cast<std::size_t>(x - first)];
    for (std::int32_t y = first; y < x; ++y) {
      const std::size_t kind = of_.costs.kind_of_pair(x, y);
      std::int64_t& of_y = left[static_cast<std::size_t>(y - first)];
      to_member(sender, kind, of_y);
      of_y += of_.slices * of_.costs.receive_lane[kind];
    }
    latest_ = std::max(latest_, sender.lane);
  }
}

// Messages j = 1, 2, ... to other groups are ready at the sender's clock + latency + j * pace.
void Evaluation::far_piece(std::int64_t pace, bool by_port) {
  const std::int64_t receive = of_.costs.receive_lane[of_.costs.far];
  const std::int64_t slices = of_.slices;
  const std::int64_t slice = pace >= receive ? slices : 1;
  const std::int64_t at_peer =
      of_.costs.send_latency[of_.costs.far] + pace * slice + (slices - slice + 1) * receive;
  const auto clock = [&](std::int32_t x) {
    const Sender& sender = shape(x).senders[member(x)];
    return (by_port ? sender.port : sender.lane) + at_peer;
  };
  // Senders below the receiver's group, which have passed `receive` for each position from their
  // own up to it; best: of all receivers of later groups.
  std::int64_t best = none;
  for (std::int32_t next = positions_; next > 0;) {
    const std::int32_t x0 = begin(next - 1);
    for (std::int32_t x = x0; best > none && x < next; ++x) {
      latest_ = std::max(latest_, clock(x) + best - slices * (pace * next - receive * x));
    }
    for (std::int32_t y = x0; y < next; ++y) {
      const std::int64_t left = shape(y).from_above[member(y)] +
                                slices * receive * (positions_ - (end(y) - begin(y)) - begin(y));
      best = std::max(best, slices * pace * y + left);
    }
    next = x0;
  }
  // Senders above it, which reach it the long way round.
  best = none;
  for (std::int32_t x0 = 0; x0 < positions_;) {
    const std::int32_t next = end(x0);
    for (std::int32_t x = x0; best > none && x < next; ++x) {
      latest_ =
          std::max(latest_, clock(x) + best - slices * (pace * (next - positions_) - receive * x));
    }
    for (std::int32_t y = x0; y < next; ++y) {
      const std::int64_t left = shape(y).from_above[member(y)] - slices * receive * end(y);
      best = std::max(best, slices * pace * y + left);
    }
    x0 = next;
  }
}

void Evaluation::to_other_groups() {
  const std::int64_t lane_cost = of_.costs.send_lane[of_.costs.far];
  const std::int64_t port_cost = of_.costs.send_port[of_.costs.far];
  for (Shape& shape : shapes_) {
    for (Sender& sender : shape.senders) sender.begin_stretch(lane_cost, port_cost);
  }
  far_piece(lane_cost, false);
  far_piece(port_cost, true);
  for (std::size_t g = 0; g < shapes_.size(); ++g) {
    const std::int64_t others =
        positions_ - (of_.costs.groups.begin[g + 1] - of_.costs.groups.begin[g]);
    for (Sender& sender : shapes_[g].senders) {
      sender.end_stretch(lane_cost, port_cost, others * of_.slices);
    }
  }
}

bool copies_only(const Stage& stage) {
  return std::all_of(stage.groups.begin(), stage.groups.end(), [](const PhaseGroup& group) {
    return std::all_of(group.phases.begin(), group.phases.end(), [](const Phase& phase) {
      return !phase.peer_in.exists() && !phase.peer_out.exists() && phase.role == 0 && !phase.after;
    });
  });
}

}  // namespace

double exchange_work(const ExchangeGroups& groups) {
  double pairs = groups.begin.back();
  for (std::size_t g = 0; g < groups.alike_to.size(); ++g) {
    if (groups.alike_to[g] != static_cast<std::int32_t>(g)) continue;
    const double members = groups.begin[g + 1] - groups.begin[g];
    pairs += 2 * members * members;
  }
  return pairs;
}

std::int64_t exchange_end(const PairwiseExchange& exchange) {
  FABRICAST_EXPECT(exchange.costs.groups.begin.back() >= 2, "somebody to exchange with");
  return Evaluation(exchange).end();
}

bool is_pairwise_exchange(const Schedule& schedule) {
  if (schedule.stages.empty() || schedule.roles != 2 || schedule.positions() < 2) return false;
  if (!std::all_of(schedule.stages.begin(), schedule.stages.end() - 1, copies_only)) return false;
  const Stage& last = schedule.stages.back();
  if (last.repeat != schedule.positions() - 1 || last.groups.size() != 1) return false;
  const auto& phases = last.groups.front().phases;
  if (phases.size() != 2) return false;
  const Phase& send = phases[0];
  const Phase& receive = phases[1];
  return send.peer_out == PeerMap::linear(1, 1) && !send.peer_in.exists() && send.role == 0 &&
         receive.peer_in == PeerMap::linear(-1, -1) && !receive.peer_out.exists() &&
         receive.role == 1 && send.active == Active::all() && receive.active == Active::all() &&
         !send.after && !receive.after;
}

std::optional<SweepResult> pairwise_exchange(const Schedule& schedule, const StepCosts& costs,
                                             std::int32_t loops, std::int32_t slices) {
  if (loops != 1 || slices > schedule.fifo_depth || !is_pairwise_exchange(schedule)) {
    return std::nullopt;
  }
  const auto* of_exchange = dynamic_cast<const CostsOfExchange*>(&costs);
  if (of_exchange == nullptr) return std::nullopt;
  const double began = thread_seconds();
  const auto stage = static_cast<int>(schedule.stages.size()) - 1;
  auto by_pair = of_exchange->exchange_costs(stage, 0, 0, 1);
  if (!by_pair || exchange_work(by_pair->groups) > most_exchange_work) return std::nullopt;
  PairwiseExchange exchange{std::move(*by_pair), 0, slices};
  SweepResult result;
  CostBlock block(static_cast<std::size_t>(schedule.positions()));
  for (const FlatPhase& phase : flatten(schedule)) {
    if (phase.stage == stage) continue;
    block.fill(costs, phase, 0);
    const auto [least, most] = std::minmax_element(block.lane.begin(), block.lane.end());
    if (*least != *most) return std::nullopt;
    StageSpan& span = result.stages.emplace_back();
    span.start_ps = exchange.ready_at;
    exchange.ready_at +=
        *most * schedule.stages[static_cast<std::size_t>(phase.stage)].repeat * slices;
    span.end_ps = exchange.ready_at;
  }
  if (result.stages.size() != static_cast<std::size_t>(stage)) return std::nullopt;
  const std::int64_t end = exchange_end(exchange);
  result.makespan = SimDuration(end);
  result.stages.push_back({exchange.ready_at, end});
  const std::int64_t n = schedule.positions();
  result.messages = slices * n * (stage + 2 * (n - 1));
  result.updates = static_cast<std::int64_t>(exchange_work(exchange.costs.groups));
  result.classes = schedule.positions();
  result.state_bytes = n * 4;
  result.fold_note = "a pairwise exchange in closed form";
  result.instruction_set = "baseline";
  result.engine_seconds = thread_seconds() - began;
  return result;
}

}  // namespace fabricast
