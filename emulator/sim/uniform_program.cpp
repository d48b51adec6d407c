#include "emulator/sim/uniform_program.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

class Compilation {
 public:
  Compilation(const Schedule& schedule, std::int32_t loops, std::int32_t slices)
      : schedule_(schedule), loops_(loops), slices_(slices) {}

  UniformProgram build(const StepCosts& costs, std::int32_t period, std::string& reason);

 private:
  // Which repetitions use a family: it may share rows if there is only one, or if all are of one
  // stage that takes in each what it sends.
  struct Use {
    int stage = -1;
    std::int32_t repetition = -1;
    bool once = true;
    bool one_stage = true;
  };

  bool add_phase(UniformPhase phase);
  std::int32_t family(const FamilyMap& map, const FlatPhase& flat, std::int32_t k);
  std::int32_t group(const Family& family);
  void claim(std::int32_t& owner, std::int32_t role) const;
  bool families_meet() const;
  bool shifts_meet() const;
  void plan_rows();
  bool drains_each_repetition(const std::vector<UniformPhase>& stage) const;
  bool repeats_after(std::int32_t period) const;
  void fill(const StepCosts& costs);

  const Schedule& schedule_;
  std::int32_t loops_, slices_;
  UniformProgram program_;
  std::map<FamilyMap, std::int32_t> numbers_;
  std::vector<Use> uses_;
};

std::int32_t Compilation::family(const FamilyMap& map, const FlatPhase& flat, std::int32_t k) {
  const auto [it, added] =
      numbers_.try_emplace(map, static_cast<std::int32_t>(program_.families.size()));
  if (added) {
    Family fresh;
    fresh.map = map;
    program_.families.push_back(fresh);
    uses_.push_back({flat.stage, k, true});
  }
  Use& use = uses_[static_cast<std::size_t>(it->second)];
  use.one_stage = use.one_stage && use.stage == flat.stage;
  use.once = use.once && use.one_stage && use.repetition == k;
  return it->second;
}

void Compilation::claim(std::int32_t& owner, std::int32_t role) const {
  if (owner >= 0 && owner != role) {
    throw UsageError(
        "two lanes of position 0 use the same end of one connection (their order is "
        "not defined); give them one role");
  }
  owner = role;
}

// The index of a group's columns; -1 for families that are none.
std::int32_t Compilation::group(const Family& family) {
  if (family.map.kind != FamilyMap::Kind::group) return -1;
  const ShiftMap& digit = family.map.shift;
  auto& known = program_.groups;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].is_along(digit.weight, digit.radix)) return static_cast<std::int32_t>(i);
  }
  known.emplace_back(program_.columns, digit.weight, digit.radix);
  return static_cast<std::int32_t>(known.size()) - 1;
}

bool Compilation::add_phase(UniformPhase compiled) {
  const FlatPhase& flat = compiled.flat;
  const Phase& phase = *flat.phase;
  const std::int32_t repeat = schedule_.stages[static_cast<std::size_t>(flat.stage)].repeat;
  // Every repetition counts as a use and a message, also where the peer stays the same.
  const std::int32_t distinct = flat.varies ? repeat : std::min(repeat, 1);
  const std::int32_t times = flat.varies ? 1 : repeat;
  for (std::int32_t k = 0; k < distinct; ++k) {
    if (flat.receives) {
      const auto map = family_of_receivers(phase.peer_in, schedule_.space, k, compiled.range);
      if (!map) return false;
      const std::int32_t id = family(*map, flat, k);
      Family& in = program_.families[static_cast<std::size_t>(id)];
      claim(in.receiving_role, phase.role);
      in.receives += times;
      in.receivers = compiled.range;
      compiled.in_family.push_back(id);
      compiled.in_group = group(in);
      if (times > 1) uses_[static_cast<std::size_t>(id)].once = false;
    }
    if (flat.sends) {
      const auto map = family_of_senders(phase.peer_out, schedule_.space, k, compiled.range);
      if (!map) return false;
      const std::int32_t id = family(*map, flat, k);
      Family& out = program_.families[static_cast<std::size_t>(id)];
      claim(out.sending_role, phase.role);
      out.sends += times;
      compiled.out_family.push_back(id);
      compiled.out_group = group(out);
      if (times > 1) uses_[static_cast<std::size_t>(id)].once = false;
    }
  }
  program_.varies = program_.varies || flat.varies;
  program_.partial = program_.partial || compiled.range.count() < schedule_.positions();
  program_.steps += std::int64_t{compiled.range.count()} * repeat;
  program_.stages[static_cast<std::size_t>(flat.stage)].push_back(std::move(compiled));
  return true;
}

// Do different families use a connection together? Exchanges have as many families as positions:
// shifts are compared by look-up, and different shifts of two digits never meet.
bool Compilation::families_meet() const {
  using Kind = FamilyMap::Kind;
  if (shifts_meet()) return true;
  const std::int32_t positions = schedule_.positions();
  const auto is_everywhere = [positions](const FamilyMap& map, Kind kind) {
    return map.kind == kind && map.senders.count() == positions;
  };
  std::vector<const FamilyMap*> shifts, two_digit, others;
  for (const auto& [map, unused] : numbers_) {
    auto& kind = is_everywhere(map, Kind::shift)       ? shifts
                 : is_everywhere(map, Kind::two_digit) ? two_digit
                                                       : others;
    kind.push_back(&map);
  }
  const auto meet = [positions](const auto& left, const auto& right) {
    return std::any_of(left.begin(), left.end(), [&](const FamilyMap* a) {
      return std::any_of(right.begin(), right.end(), [&](const FamilyMap* b) {
        return a != b && share_connections(*a, *b, positions);
      });
    });
  };
  // A hundred million positions looked at take a second; such a mixture is left to the other
  // engine.
  const std::size_t looked_at =
      (two_digit.size() * shifts.size() +
       others.size() * (others.size() + shifts.size() + two_digit.size())) *
      static_cast<std::size_t>(positions);
  if (looked_at > 100'000'000) return true;
  return meet(two_digit, shifts) || meet(others, others) || meet(others, shifts) ||
         meet(others, two_digit);
}

bool Compilation::shifts_meet() const {
  const std::int32_t positions = schedule_.positions();
  for (const auto& [map, unused] : numbers_) {
    const ShiftMap& shift = map.shift;
    if (map.kind != FamilyMap::Kind::shift || shift.radix == positions) continue;
    for (const std::int32_t back : {0, shift.radix}) {
      const auto distance =
          (static_cast<std::int64_t>(shift.shift - back) * shift.weight + positions) % positions;
      FamilyMap linear = map;
      linear.shift = {1, positions, static_cast<std::int32_t>(distance)};
      if (numbers_.contains(linear) && coincide(shift, linear.shift, positions)) return true;
    }
  }
  return false;
}

// One phase sends and one receives, and they use the same family in every repetition.
bool Compilation::drains_each_repetition(const std::vector<UniformPhase>& stage) const {
  if (stage.size() != 2) return false;
  const UniformPhase& sends = stage[stage[0].flat.sends ? 0 : 1];
  const UniformPhase& receives = stage[stage[0].flat.sends ? 1 : 0];
  return sends.flat.varies && receives.flat.varies && receives.in_family == sends.out_family &&
         sends.in_family.empty() && receives.out_family.empty();
}

// A message waits in one of D rows. Fewer rows do when fewer messages are ever sent; and families
// that live in one repetition take turns, which keeps all-to-all at a few rows instead of p.
void Compilation::plan_rows() {
  const std::int32_t depth = schedule_.fifo_depth;
  std::map<std::pair<int, std::int32_t>, std::int32_t> pooled;
  auto& drains = program_.drains;
  for (const auto& stage : program_.stages) drains.push_back(drains_each_repetition(stage));
  for (std::size_t f = 0; f < program_.families.size(); ++f) {
    Family& family = program_.families[f];
    const std::int64_t messages = std::int64_t{family.sends} * loops_ * slices_;
    family.credits = messages > depth;
    family.rows = static_cast<std::int32_t>(std::min<std::int64_t>(messages, depth));
    const Use& use = uses_[f];
    if (!family.credits && use.once && family.sends == family.receives) {
      family.pool = pooled[{use.stage, use.repetition}]++;
      family.rows = std::max(1, family.sends * slices_);
      program_.pools = std::max(program_.pools, family.pool + 1);
      program_.pool_rows = std::max(program_.pool_rows, family.rows);
    } else if (!family.credits && use.one_stage && drains[static_cast<std::size_t>(use.stage)]) {
      family.pool = 0;  // the only one of its repetition
      family.rows = slices_;
      program_.pools = std::max(program_.pools, 1);
      program_.pool_rows = std::max(program_.pool_rows, slices_);
    } else {
      drains[static_cast<std::size_t>(use.stage)] = false;  // messages stay, or wait for slots
    }
  }
}

bool Compilation::repeats_after(std::int32_t period) const {
  if (period < 1 || period > program_.positions / 2 || program_.positions % period != 0)
    return false;
  if (program_.varies || program_.partial) return false;
  for (const auto& stage : program_.stages) {
    const auto is_whole = [](const UniformPhase& phase) { return phase.joined.empty(); };
    if (!std::all_of(stage.begin(), stage.end(), is_whole)) return false;
  }
  return std::all_of(program_.families.begin(), program_.families.end(), [&](const Family& family) {
    return family.map.kind == FamilyMap::Kind::shift &&
           shift_modulo(family.map.shift, program_.positions, period);
  });
}

void Compilation::fill(const StepCosts& costs) {
  const auto map_of = [this](const std::vector<std::int32_t>& family) {
    return family.empty() ? nullptr
                          : &program_.families[static_cast<std::size_t>(family.front())].map;
  };
  for (auto& stage : program_.stages) {
    for (UniformPhase& phase : stage) {
      phase.costs = CostBlock(static_cast<std::size_t>(program_.period));
      if (phase.flat.varies) continue;
      fill_costs(phase, costs, 0);
      if (program_.period < program_.positions) continue;  // runs are those of the classes
      build_runs(map_of(phase.in_family), map_of(phase.out_family), phase.range, program_.positions,
                 phase.runs);
    }
  }
}

UniformProgram Compilation::build(const StepCosts& costs, std::int32_t period,
                                  std::string& reason) {
  program_.positions = program_.columns = program_.period = schedule_.positions();
  program_.roles = schedule_.roles;
  program_.depth = schedule_.fifo_depth;
  program_.stages.resize(schedule_.stages.size());
  for (const Stage& stage : schedule_.stages) program_.stage_repeat.push_back(stage.repeat);
  for (auto& stage : uniform_phases(schedule_, reason)) {
    for (UniformPhase& phase : stage) {
      if (reason.empty() && !add_phase(std::move(phase))) {
        reason = "who receives is not who is sent to, by ranges of positions";
      }
    }
  }
  if (reason.empty() && families_meet()) reason = "maps of different kinds share connections";
  if (!reason.empty()) return {};
  if (repeats_after(period)) program_.period = period;
  plan_rows();
  fill(costs);
  return std::move(program_);
}

}  // namespace

// A digit that whole periods leave alone, or the highest, which they turn.
std::optional<ShiftMap> shift_modulo(const ShiftMap& map, std::int32_t positions,
                                     std::int32_t period) {
  const std::int64_t block = std::int64_t{map.weight} * map.radix;
  if (period % block == 0) return map;
  if (block != positions || period % map.weight != 0) return std::nullopt;
  const std::int32_t radix = period / map.weight;
  return ShiftMap{map.weight, radix, map.shift % radix};
}

void fill_costs(UniformPhase& phase, const StepCosts& costs, std::int32_t k) {
  phase.costs.fill(costs, phase.flat, k);
  for (const FlatPhase& joined : phase.joined) {
    CostBlock more(phase.costs.lane.size());
    more.fill(costs, joined, k);
    const auto add = [](std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
      std::transform(to.begin(), to.end(), from.begin(), to.begin(), std::plus<>());
    };
    add(phase.costs.lane, more.lane);
    add(phase.costs.port, more.port);
    add(phase.costs.latency, more.latency);
    add(phase.costs.credit, more.credit);
  }
}

UniformProgram compile_uniform(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                               std::int32_t slices, std::string& reason, std::int32_t period) {
  return Compilation(schedule, loops, slices).build(costs, period, reason);
}

}  // namespace fabricast
