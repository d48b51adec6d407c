#include "emulator/sim/wired_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/lane_order.hpp"

namespace fabricast {
namespace {

// 40 bytes each: at most 1.6 GB of steps.
constexpr std::int64_t max_steps = 40'000'000;

struct LaneStep {
  std::int32_t lane = 0;
  std::uint16_t phase = 0;
  WiredStep step;
};

class Wiring {
 public:
  Wiring(const Schedule& schedule, const StepCosts& costs)
      : schedule_(schedule),
        costs_(costs),
        flat_(flatten(schedule)),
        first_of_(static_cast<std::size_t>(schedule.positions()), -1) {
    program_.lanes = schedule.positions() * schedule.roles;
    program_.roles = schedule.roles;
    program_.depth = schedule.fifo_depth;
  }

  WiredProgram build() {
    for (std::size_t s = 0; s < schedule_.stages.size(); ++s) {
      program_.stage_names.push_back(schedule_.stages[s].name);
      add_stage(static_cast<std::int32_t>(s));
    }
    resolve_marks();
    first_of_ = next_of_ = {};
    put_in_order(program_);
    return std::move(program_);
  }

 private:
  void add_stage(std::int32_t stage);
  void add_constant(const std::vector<std::size_t>& phases, std::int32_t end,
                    WiredSegment& segment);
  void fill_costs(std::size_t phase, std::int32_t end, CostBlock& rows,
                  WiredSegment& segment) const;
  void count_steps(std::size_t steps);
  void add_repetition(const std::vector<std::size_t>& phases, std::int32_t k, std::int32_t end,
                      WiredSegment& segment, std::vector<LaneStep>& steps);
  void arrange(const std::vector<LaneStep>& steps, const std::vector<std::size_t>& repetitions,
               WiredSegment& segment);
  std::optional<WiredStep> step_if_peers_exist(const FlatPhase& phase, std::int32_t lane,
                                               std::int32_t k, WiredSegment& segment);
  std::int32_t mark(std::int32_t lane, std::int32_t stage);
  void resolve_marks();
  std::int32_t connection(std::int32_t source, std::int32_t destination, std::uint8_t fifo);
  void claim(std::int32_t& owner, std::int32_t lane) const;

  const Schedule& schedule_;
  const StepCosts& costs_;
  std::vector<FlatPhase> flat_;
  WiredProgram program_;
  std::int64_t steps_ = 0;
  // Connections of a source: the first few in a chain, the others by hash.
  static constexpr int longest_chain = 16;
  std::vector<std::int32_t> first_of_, next_of_;  // by position, by connection; -1: no more
  std::unordered_map<std::uint64_t, std::int32_t> numbers_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> marks_;  // by (lane, stage)
};

std::int32_t Wiring::connection(std::int32_t source, std::int32_t destination, std::uint8_t fifo) {
  const auto next = static_cast<std::int32_t>(program_.connections.size());
  std::int32_t* link = &first_of_[static_cast<std::size_t>(source)];
  for (int passed = 0; passed < longest_chain; ++passed) {
    if (*link < 0) {
      *link = next;
      program_.connections.push_back({-1 - source, -1 - destination, fifo});
      next_of_.resize(program_.connections.size(), -1);
      return next;
    }
    const WiredConnection& at = program_.connections[static_cast<std::size_t>(*link)];
    const auto to = WiredConnection::position(at.receiving_lane, schedule_.roles);
    if (to == destination && at.fifo == fifo) return *link;
    link = &next_of_[static_cast<std::size_t>(*link)];
  }
  const auto key = static_cast<std::uint64_t>(source) << 36 |
                   static_cast<std::uint64_t>(destination) << 8 | fifo;  // positions < 2^24
  const auto [it, added] = numbers_.try_emplace(key, next);
  if (added) {
    program_.connections.push_back({-1 - source, -1 - destination, fifo});
    next_of_.resize(program_.connections.size(), -1);
  }
  return it->second;
}

std::int32_t Wiring::mark(std::int32_t lane, std::int32_t stage) {
  const auto next = static_cast<std::int32_t>(marks_.size());
  return marks_.try_emplace({lane, stage}, next).first->second;
}

// To the end of a stage is to the end of the last segment that is not behind it.
void Wiring::resolve_marks() {
  program_.marks.resize(marks_.size());
  const auto last = static_cast<std::int32_t>(program_.segments.size()) - 1;
  for (const auto& [who, index] : marks_) {
    std::int32_t segment = last;
    while (segment >= 0 &&
           program_.segments[static_cast<std::size_t>(segment)].stage > who.second) {
      --segment;
    }
    const bool previous = segment < 0;
    program_.marks[static_cast<std::size_t>(index)] = {who.first, previous ? last : segment,
                                                       previous};
  }
}

void Wiring::claim(std::int32_t& owner, std::int32_t lane) const {
  if (owner >= 0 && owner != lane) {
    throw UsageError(
        fmt::format("two lanes of position {} use the same end of one connection "
                    "(their order is not defined); give them one role",
                    lane / schedule_.roles));
  }
  owner = lane;
}

// Connections and the awaited lane of a step; its costs are the caller's.
std::optional<WiredStep> Wiring::step_if_peers_exist(const FlatPhase& phase, std::int32_t lane,
                                                     std::int32_t k, WiredSegment& segment) {
  const std::int32_t x = lane / schedule_.roles;
  const RankSpace& space = schedule_.space;
  const PeerMap& from = phase.phase->peer_in;
  const PeerMap& to = phase.phase->peer_out;
  const auto receive_from = [&](std::int32_t peer) {
    const std::int32_t in = connection(peer, x, from.fifo);
    claim(program_.connections[static_cast<std::size_t>(in)].receiving_lane, lane);
    return in;
  };
  const auto send_to = [&](std::int32_t peer) {
    const std::int32_t out = connection(x, peer, to.fifo);
    claim(program_.connections[static_cast<std::size_t>(out)].sending_lane, lane);
    return out;
  };
  const Awaited awaited = awaited_by(*phase.phase, x);
  const bool group = (phase.receives && from.is_group()) || (phase.sends && to.is_group());
  WiredStep step;
  if (!group && awaited.role < 0) {
    const std::int32_t source = phase.receives ? peer_of(from, space, x, k) : 0;
    const std::int32_t destination = phase.sends ? peer_of(to, space, x, k) : 0;
    if (source < 0 || destination < 0) return std::nullopt;
    if (phase.receives) step.in = receive_from(source);
    if (phase.sends) step.out = send_to(destination);
    return step;
  }
  if (!peers_exist(phase, space, x, k)) return std::nullopt;
  WideStep wide;
  wide.first = static_cast<std::int32_t>(segment.wide_connections.size());
  for (const std::int32_t peer : senders_of(phase, space, x, k)) {
    segment.wide_connections.push_back(receive_from(peer));
    ++wide.ins;
  }
  for (const std::int32_t peer : receivers_of(phase, space, x, k)) {
    segment.wide_connections.push_back(send_to(peer));
    ++wide.outs;
  }
  if (awaited.role >= 0) wide.mark = mark(x * schedule_.roles + awaited.role, awaited.stage);
  step.in = WiredStep::wide(segment.wide_steps.size());
  segment.wide_steps.push_back(wide);
  return step;
}

void Wiring::add_stage(std::int32_t stage) {
  WiredSegment segment;
  segment.stage = stage;
  segment.repeat = schedule_.stages[static_cast<std::size_t>(stage)].repeat;
  if (segment.repeat < 1) return;
  std::vector<std::size_t> phases;
  bool varies = false;
  // Positions from here on have no step: a root need not unroll all the others.
  std::int32_t end = 0;
  for (std::size_t f = 0; f < flat_.size(); ++f) {
    if (flat_[f].stage != stage) continue;
    phases.push_back(f);
    varies = varies || flat_[f].varies;
    const Active& active = flat_[f].phase->active;
    end = std::max(end, active.kind == Active::Kind::range ? active.end : schedule_.positions());
  }
  end = std::min(end, schedule_.positions());
  if (varies) {
    std::vector<LaneStep> steps;
    std::vector<std::size_t> repetitions;  // first step of each
    for (std::int32_t k = 0; k < segment.repeat; ++k) {
      repetitions.push_back(steps.size());
      add_repetition(phases, k, end, segment, steps);
      count_steps(steps.size());
    }
    repetitions.push_back(steps.size());
    steps_ += static_cast<std::int64_t>(steps.size());
    arrange(steps, repetitions, segment);
  } else {
    add_constant(phases, end, segment);
  }
  program_.segments.push_back(std::move(segment));
}

// Steps of the stage at hand, beside those of the stages before.
void Wiring::count_steps(std::size_t steps) {
  if (steps_ + static_cast<std::int64_t>(steps) <= max_steps) return;
  throw UsageError(
      fmt::format("the schedule is irregular and unrolls into more than {} steps "
                  "(peers vary with the repetition); use fewer ranks",
                  max_steps));
}

// Positions [0, end) of a stage whose repetitions are alike. Costs come phase by phase, so that the
// rows of one phase only are there at a time.
void Wiring::add_constant(const std::vector<std::size_t>& phases, std::int32_t end,
                          WiredSegment& segment) {
  ActivePhases active(flat_, phases);
  std::vector<std::int32_t> reach(phases.size(), 0);  // behind the last position with the phase
  std::int32_t furthest = 0;
  const auto lanes = static_cast<std::size_t>(program_.lanes);
  segment.begin.reserve(lanes + 1);
  // Nearly all lanes of a tree have one step. Growing would take twice the memory.
  const auto active_lanes =
      static_cast<std::size_t>(end) * static_cast<std::size_t>(schedule_.roles);
  segment.steps.reserve(active_lanes + active_lanes / 8);
  segment.phase_of.reserve(active_lanes + active_lanes / 8);
  for (std::int32_t x = 0; x < end; ++x) {
    active.look_at(schedule_.space, x);
    for (std::int32_t role = 0; role < schedule_.roles; ++role) {
      segment.begin.push_back(static_cast<std::int32_t>(segment.steps.size()));
      for (std::size_t i = 0; i < phases.size(); ++i) {
        const FlatPhase& phase = flat_[phases[i]];
        if (phase.phase->role != role || !active[i]) continue;
        const auto step = step_if_peers_exist(phase, x * schedule_.roles + role, 0, segment);
        if (!step) continue;
        segment.steps.push_back(*step);
        segment.phase_of.push_back(static_cast<std::uint16_t>(phases[i]));
        furthest = reach[i] = x + 1;
      }
    }
    count_steps(segment.steps.size());
  }
  segment.begin.resize(lanes + 1, static_cast<std::int32_t>(segment.steps.size()));
  steps_ += static_cast<std::int64_t>(segment.steps.size());
  CostBlock rows(static_cast<std::size_t>(furthest));
  for (std::size_t i = 0; i < phases.size(); ++i) fill_costs(phases[i], reach[i], rows, segment);
}

// Those of the phase's steps at positions [0, end).
void Wiring::fill_costs(std::size_t phase, std::int32_t end, CostBlock& rows,
                        WiredSegment& segment) const {
  if (end == 0) return;
  const auto count = static_cast<std::size_t>(end);
  const FlatPhase& of = flat_[phase];
  costs_.fill(of.stage, of.group, of.index, 0,
              {std::span(rows.lane).first(count), std::span(rows.port).first(count),
               std::span(rows.latency).first(count), std::span(rows.credit).first(count)});
  const auto roles = static_cast<std::size_t>(schedule_.roles);
  for (std::size_t x = 0; x < count; ++x) {
    const std::size_t lane = x * roles + of.phase->role;
    for (std::int32_t s = segment.begin[lane]; s < segment.begin[lane + 1]; ++s) {
      const auto at = static_cast<std::size_t>(s);
      if (segment.phase_of[at] != phase) continue;
      segment.steps[at].costs = {rows.lane[x], rows.port[x], rows.latency[x], rows.credit[x]};
    }
  }
}

// The steps of positions [0, end) in one repetition, lane by lane.
void Wiring::add_repetition(const std::vector<std::size_t>& phases, std::int32_t k,
                            std::int32_t end, WiredSegment& segment, std::vector<LaneStep>& steps) {
  std::vector<CostBlock> costs;
  for (const std::size_t f : phases) {
    costs.emplace_back(static_cast<std::size_t>(end));
    costs.back().fill(costs_, flat_[f], flat_[f].varies ? k : 0);
  }
  for (std::int32_t lane = 0; lane < end * schedule_.roles; ++lane) {
    const std::int32_t x = lane / schedule_.roles;
    const auto at = static_cast<std::size_t>(x);
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const FlatPhase& phase = flat_[phases[i]];
      if (phase.phase->role != lane % schedule_.roles) continue;
      if (!is_active(phase.phase->active, schedule_.space, x)) continue;
      auto step = step_if_peers_exist(phase, lane, k, segment);
      if (!step) continue;
      step->costs = {costs[i].lane[at], costs[i].port[at], costs[i].latency[at],
                     costs[i].credit[at]};
      steps.push_back({lane, static_cast<std::uint16_t>(phases[i]), *step});
    }
  }
}

// By lane, and where a lane has several repetitions in their order.
void Wiring::arrange(const std::vector<LaneStep>& steps,
                     const std::vector<std::size_t>& repetitions, WiredSegment& segment) {
  const auto lanes = static_cast<std::size_t>(program_.lanes);
  segment.begin.assign(lanes + 1, 0);
  for (const LaneStep& step : steps) ++segment.begin[static_cast<std::size_t>(step.lane) + 1];
  std::partial_sum(segment.begin.begin(), segment.begin.end(), segment.begin.begin());
  segment.steps.resize(steps.size());
  segment.phase_of.resize(steps.size());
  std::vector<std::int32_t> next(segment.begin.begin(), segment.begin.end() - 1);
  const std::size_t bundle = repetitions.size();
  segment.bundle_of.assign(lanes, 0);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (segment.begin[lane] == segment.begin[lane + 1]) continue;
    segment.bundle_of[lane] = static_cast<std::int32_t>(segment.bundles.size());
    segment.bundles.resize(segment.bundles.size() + bundle, segment.begin[lane]);
  }
  for (std::size_t k = 0; k + 1 < repetitions.size(); ++k) {
    for (std::size_t i = repetitions[k]; i < repetitions[k + 1]; ++i) {
      const auto lane = static_cast<std::size_t>(steps[i].lane);
      const auto to = static_cast<std::size_t>(next[lane]++);
      segment.steps[to] = steps[i].step;
      segment.phase_of[to] = steps[i].phase;
      ++segment.bundles[static_cast<std::size_t>(segment.bundle_of[lane]) + k + 1];
    }
  }
  // Counts per repetition, on top of the lane's first step, become ends.
  for (std::size_t first = 0; first < segment.bundles.size(); first += bundle) {
    for (std::size_t k = 2; k < bundle; ++k) {
      segment.bundles[first + k] += segment.bundles[first + k - 1] - segment.bundles[first];
    }
  }
}

}  // namespace

WiredProgram wire(const Schedule& schedule, const StepCosts& costs) {
  return Wiring(schedule, costs).build();
}

}  // namespace fabricast
