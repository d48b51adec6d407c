#include "tests/unit/sim/random_case.hpp"

#include <fmt/format.h>

#include <array>
#include <tuple>
#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "tests/unit/sim/random_parts.hpp"

namespace fabricast {
namespace {

RankSpace random_space(Draw& draw) {
  if (draw.chance(30)) return {draw.between(2, 40)};
  if (draw.chance(70)) return {draw.between(1, 8), draw.between(1, 5)};
  return {draw.between(1, 4), draw.between(1, 3), draw.between(1, 3)};
}

PeerMap random_shift(Draw& draw, const RankSpace& space, bool may_vary) {
  const std::int32_t a = may_vary && draw.chance(40) ? draw.between(-2, 2) : 0;
  const std::int32_t b = draw.between(-3, 4);
  const bool linear = draw.chance(50);
  PeerMap map =
      linear ? PeerMap::linear(a, b) : PeerMap::on_digit(draw.between(0, space.digits() - 1), a, b);
  if (draw.chance(15)) map.fifo = static_cast<std::uint8_t>(draw.between(1, 2));
  return map;
}

PeerMap inverse(const PeerMap& map) {
  PeerMap back = map;
  if (map.kind == PeerMap::Kind::exclusive) return back;
  back.a = -map.a;
  if (map.kind != PeerMap::Kind::rounds) back.b = -map.b;
  return back;
}

// What an exchange may use: shifts, hypercubes, shifts of two digits at once.
PeerMap random_pairing(Draw& draw, const RankSpace& space, std::int32_t repeat) {
  const std::int32_t kind = draw.between(0, 9);
  if (kind == 0) return PeerMap::exclusive(draw.between(1, 9));
  if (kind == 1 && space.digits() == 2) {
    std::vector<std::int32_t> shifts;
    for (std::int32_t i = 0; i <= (repeat + 2) / space.radix(0); ++i) {
      shifts.push_back(draw.between(0, 6));
    }
    return PeerMap::rounds(1, draw.between(0, 2), MapTable(std::move(shifts)));
  }
  return random_shift(draw, space, true);
}

// A ring along one map, as often as drawn: send; receive and pass on; receive.
void add_rotation(Schedule& schedule, Draw& draw, const RankSpace& space) {
  const PeerMap out = random_shift(draw, space, false);
  const PeerMap in = inverse(out);
  add_stage(schedule, stage_of("open", 1, plain_phase(action_send, 0, {}, out)));
  add_stage(schedule, stage_of("turn", draw.between(0, 40), plain_phase(recv_forward, 0, in, out)));
  if (draw.chance(30)) {
    add_stage(schedule,
              stage_of("again", draw.between(1, 5), plain_phase(recv_forward, 0, in, out)));
  }
  add_stage(schedule, stage_of("close", 1, plain_phase(recv_store, 0, in, {})));
}

// Several phases a repetition: each sends along its own map and receives what it sent.
void add_exchange(Schedule& schedule, Draw& draw, const RankSpace& space) {
  PhaseGroup group{StageOrder::rounds, {}};
  const std::int32_t pairs = draw.between(1, 3);
  const std::int32_t repeat = draw.between(1, 12);
  const std::uint8_t receiving = draw.chance(50) ? 1 : 0;
  std::vector<PeerMap> maps;
  for (std::int32_t i = 0; i < pairs; ++i) {
    maps.push_back(random_pairing(draw, space, repeat));
    group.phases.push_back(plain_phase(action_send, 0, {}, maps.back()));
  }
  for (const PeerMap& map : maps) {
    group.phases.push_back(plain_phase(recv_store, receiving, inverse(map), {}));
  }
  if (draw.chance(30)) group.phases.push_back(plain_phase(action_copy, 0, {}, {}));
  schedule.stages.push_back({"exchange", repeat, {std::move(group)}});
}

// Neighbouring pairs talk, the rest is silent: inactive positions in a rounds group.
void add_partial(Schedule& schedule, Draw& draw) {
  const std::int32_t p = schedule.positions();
  const std::int32_t low = draw.between(0, p - 1);
  const std::int32_t high = draw.between(low, p);
  PhaseGroup group{StageOrder::rounds, {}};
  group.phases.push_back(
      plain_phase(action_send, 0, {}, PeerMap::linear(0, 1), Active::range(low, high)));
  const auto receivers = [&](std::int32_t first, std::int32_t end) {
    group.phases.push_back(
        plain_phase(recv_store, 0, PeerMap::linear(0, -1), {}, Active::range(first, end)));
  };
  if (high == p && low < p) {
    receivers(0, 1);
    receivers(low + 1, p);
  } else {
    receivers(low + 1, high + 1);
  }
  schedule.stages.push_back({"partial", draw.between(1, 9), {std::move(group)}});
}

Schedule synthetic(Draw& draw) {
  Schedule schedule;
  schedule.space = random_space(draw);
  schedule.algorithm = "synthetic";
  schedule.roles = 3;
  const std::int32_t parts = draw.between(1, 3);
  for (std::int32_t i = 0; i < parts; ++i) {
    const std::int32_t kind = draw.between(0, 9);
    if (kind <= 2)
      add_rotation(schedule, draw, schedule.space);
    else if (kind <= 4)
      add_exchange(schedule, draw, schedule.space);
    else if (kind == 5)
      add_partial(schedule, draw);
    else if (kind <= 7)
      add_in_switch(schedule, draw);
    else if (kind == 8)
      add_imported(schedule, draw);
    else
      add_root(schedule, draw);
  }
  if (draw.chance(25)) add_waiting(schedule, draw);
  return schedule;
}

Schedule known_algorithm(Draw& draw) {
  if (draw.chance(15)) {
    return tree_all_reduce({1, draw.between(2, 30)}, draw.between(1, 90), draw.chance(50));
  }
  const auto rows = algorithm_catalogue();
  while (true) {
    const auto row = draw.between(0, static_cast<std::int32_t>(rows.size()) - 1);
    const AlgorithmEntry& entry = rows[static_cast<std::size_t>(row)];
    ScheduleShape shape{random_space(draw), draw.between(1, 60), draw.chance(50)};
    if (shape.space.digits() > 2 && entry.needs != Needs::nothing) continue;
    if (why_not(entry, shape.space).empty()) return entry.build(shape);
  }
}

}  // namespace

std::int64_t RandomCosts::value(std::uint64_t row, std::int32_t k, std::int32_t x) const {
  const RankSpace& space = schedule_.space;
  std::uint64_t who = 0;
  std::int64_t high = 1000;
  switch (temper_) {
    case CostTemper::random:
      who = static_cast<std::uint64_t>(x);
      break;
    case CostTemper::by_digit:
      who = static_cast<std::uint64_t>(space.digit_of(x, 0));
      break;
    case CostTemper::uniform:
      break;
    case CostTemper::straggler:
      who = x == space.size() / 3 ? 1 : 0;
      break;
    case CostTemper::huge:
      who = static_cast<std::uint64_t>(x);
      high = 10'000'000;
      break;
  }
  const std::uint64_t entity = row * 1'000'003u + static_cast<std::uint64_t>(k);
  const std::int64_t drawn = random_int(seed_, entity, who, 0, high);
  return temper_ == CostTemper::huge ? drawn * 1'000'000 : drawn;
}

void RandomCosts::fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const {
  for (const FlatPhase& flat : flatten(schedule_)) {
    if (flat.stage != stage || flat.group != group || flat.index != phase) continue;
    const auto row = static_cast<std::uint64_t>(stage * 100 + group * 50 + phase) * 4;
    const std::int32_t key = flat.varies ? cost_key(k) : 0;
    for (std::int32_t x = 0; x < static_cast<std::int32_t>(rows.lane.size()); ++x) {
      const auto at = static_cast<std::size_t>(x);
      const bool runs = executes(flat, schedule_.space, x, k);
      const auto cost = [&](std::uint64_t i, bool applies) {
        return runs && applies ? value(row + i, key, x) : 0;
      };
      rows.lane[at] = cost(0, true) + (runs && x == slow_ ? extra_ : 0);
      rows.port[at] = cost(1, flat.sends);
      // Below zero where lines are taken up as they come (semantics 3.9).
      rows.latency[at] = cost(2, flat.sends) - cost(0, flat.sends) / 2;
      rows.credit[at] = cost(3, flat.receives);
    }
  }
}

bool RandomCosts::repeats(int stage, int group, int phase, std::int32_t before,
                          std::int32_t k) const {
  const auto rows = [&](std::int32_t repetition) {
    CostBlock block(static_cast<std::size_t>(schedule_.positions()));
    fill(stage, group, phase, repetition, block.rows());
    return std::tuple{block.lane, block.port, block.latency, block.credit};
  };
  return cost_key(before) == cost_key(k) && rows(before) == rows(k);
}

std::string RandomCase::describe() const {
  return fmt::format("seed {}: {} p={} (radix0 {}) D={} loops={} slices={} temper={} stages={}",
                     seed, schedule.algorithm, schedule.positions(), schedule.space.radix(0),
                     schedule.fifo_depth, loops, slices, static_cast<int>(temper),
                     schedule.stages.size());
}

RandomCase random_case(std::uint64_t seed) {
  Draw draw(seed);
  RandomCase result;
  result.seed = seed;
  result.schedule = draw.chance(55) ? known_algorithm(draw) : synthetic(draw);
  result.schedule.fifo_depth = draw.between(2, 9);
  result.loops = draw.chance(60) ? 1 : draw.between(2, 3);
  result.slices = draw.chance(50) ? 1 : draw.between(2, 4);
  constexpr std::array tempers{CostTemper::random, CostTemper::by_digit, CostTemper::uniform,
                               CostTemper::straggler, CostTemper::huge};
  result.temper = tempers[static_cast<std::size_t>(draw.between(0, 4))];
  return result;
}

Schedule ring_by_hand(const RankSpace& space, std::int32_t fifo_depth) {
  const std::int32_t p = space.size();
  const PeerMap next = PeerMap::linear(0, 1);
  const PeerMap previous = PeerMap::linear(0, -1);
  Schedule schedule;
  schedule.space = space;
  schedule.algorithm = "ring";
  schedule.fifo_depth = fifo_depth;
  add_stage(schedule, stage_of("send", 1, plain_phase(action_send, 0, {}, next)));
  add_stage(schedule, stage_of("reduce", p - 2, plain_phase(recv_reduce_send, 0, previous, next)));
  add_stage(schedule, stage_of("turn", 1, plain_phase(recv_reduce_forward, 0, previous, next)));
  add_stage(schedule, stage_of("gather", p - 2, plain_phase(recv_forward, 0, previous, next)));
  add_stage(schedule, stage_of("receive", 1, plain_phase(recv_store, 0, previous, {})));
  return schedule;
}

}  // namespace fabricast
