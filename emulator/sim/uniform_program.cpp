#include "emulator/sim/uniform_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

bool active_everywhere(const Active& active, std::int32_t positions) {
  return active.kind == Active::Kind::all ||
         (active.kind == Active::Kind::range && active.first <= 0 && active.end >= positions);
}

bool is_shift(const PeerMap& map) {
  return (map.kind == PeerMap::Kind::linear || map.kind == PeerMap::Kind::digit) && map.fifo == 0;
}

class Compilation {
 public:
  Compilation(const Schedule& schedule, std::int32_t loops, std::int32_t slices)
      : schedule_(schedule), loops_(loops), slices_(slices) {}

  UniformProgram build(const StepCosts& costs, std::string& reason);

 private:
  // Which repetitions use a family: it may share rows if there is only one.
  struct Use {
    int stage = -1;
    std::int32_t repetition = -1;
    bool once = true;
  };

  void add_phase(const FlatPhase& flat);
  std::int32_t family(const ShiftMap& map, const FlatPhase& flat, std::int32_t k);
  void claim(std::int32_t& owner, std::int32_t role) const;
  bool maps_coincide() const;
  void plan_rows();
  void fill_costs(const StepCosts& costs);

  const Schedule& schedule_;
  std::int32_t loops_, slices_;
  UniformProgram program_;
  std::map<ShiftMap, std::int32_t> numbers_;
  std::vector<Use> uses_;
};

std::int32_t Compilation::family(const ShiftMap& map, const FlatPhase& flat, std::int32_t k) {
  const auto [it, added] =
      numbers_.try_emplace(map, static_cast<std::int32_t>(program_.families.size()));
  if (added) {
    program_.families.push_back({map, 0, 0, -1, -1, 0, false, -1});
    uses_.push_back({flat.stage, k, true});
  }
  Use& use = uses_[static_cast<std::size_t>(it->second)];
  use.once = use.once && use.stage == flat.stage && use.repetition == k;
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

void Compilation::add_phase(const FlatPhase& flat) {
  const std::int32_t positions = schedule_.positions();
  const Phase& phase = *flat.phase;
  const std::int32_t repeat = schedule_.stages[static_cast<std::size_t>(flat.stage)].repeat;
  UniformPhase compiled{flat, {}, {}, {}, CostBlock(static_cast<std::size_t>(positions))};
  // Every repetition counts as a use and a message, also where the peer stays the same.
  const std::int32_t distinct = flat.varies ? repeat : std::min(repeat, 1);
  for (std::int32_t k = 0; k < distinct; ++k) {
    const std::int32_t times = flat.varies ? 1 : repeat;
    if (flat.receives) {
      const ShiftMap map = inverse(shift_map(phase.peer_in, schedule_.space, k), positions);
      const std::int32_t id = family(map, flat, k);
      Family& in = program_.families[static_cast<std::size_t>(id)];
      claim(in.receiving_role, phase.role);
      in.receives += times;
      compiled.in_family.push_back(id);
      if (times > 1) uses_[static_cast<std::size_t>(id)].once = false;
    }
    if (flat.sends) {
      const std::int32_t id = family(shift_map(phase.peer_out, schedule_.space, k), flat, k);
      Family& out = program_.families[static_cast<std::size_t>(id)];
      claim(out.sending_role, phase.role);
      out.sends += times;
      compiled.out_family.push_back(id);
      if (times > 1) uses_[static_cast<std::size_t>(id)].once = false;
    }
  }
  program_.varies = program_.varies || flat.varies;
  program_.stages[static_cast<std::size_t>(flat.stage)].push_back(std::move(compiled));
}

bool Compilation::maps_coincide() const {
  const std::int32_t positions = schedule_.positions();
  for (const auto& [digit_map, unused] : numbers_) {
    if (digit_map.radix == positions) continue;
    for (const std::int32_t back : {0, digit_map.radix}) {
      const auto shift =
          (static_cast<std::int64_t>(digit_map.shift - back) * digit_map.weight + positions) %
          positions;
      const ShiftMap linear{1, positions, static_cast<std::int32_t>(shift)};
      if (numbers_.contains(linear) && coincide(digit_map, linear, positions)) return true;
    }
  }
  return false;
}

// A message waits in one of D rows. Fewer rows do when fewer messages are ever sent; and families
// that live in one repetition take turns, which keeps all-to-all at a few rows instead of p.
void Compilation::plan_rows() {
  const std::int32_t depth = schedule_.fifo_depth;
  std::map<std::pair<int, std::int32_t>, std::int32_t> pooled;
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
    }
  }
}

void Compilation::fill_costs(const StepCosts& costs) {
  for (auto& stage : program_.stages) {
    for (UniformPhase& phase : stage) {
      if (phase.flat.varies) continue;
      phase.costs.fill(costs, phase.flat, 0);
      const ShiftMap stay{1, program_.positions, 0};
      const auto& families = program_.families;
      const ShiftMap in = phase.in_family.empty()
                              ? stay
                              : inverse(families[static_cast<std::size_t>(phase.in_family[0])].map,
                                        program_.positions);
      const ShiftMap out = phase.out_family.empty()
                               ? stay
                               : families[static_cast<std::size_t>(phase.out_family[0])].map;
      build_runs(in, out, program_.positions, phase.runs);
    }
  }
}

UniformProgram Compilation::build(const StepCosts& costs, std::string& reason) {
  program_.positions = program_.columns = schedule_.positions();
  program_.roles = schedule_.roles;
  program_.depth = schedule_.fifo_depth;
  program_.stages.resize(schedule_.stages.size());
  for (const Stage& stage : schedule_.stages) program_.stage_repeat.push_back(stage.repeat);
  for (const FlatPhase& flat : flatten(schedule_)) add_phase(flat);
  if (maps_coincide()) {
    reason = "maps of different digits share connections";
    return {};
  }
  plan_rows();
  fill_costs(costs);
  return std::move(program_);
}

}  // namespace

std::string why_not_uniform(const Schedule& schedule) {
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      if (group.order != StageOrder::rounds) {
        return fmt::format("stage '{}' is a tree or a chain", stage.name);
      }
      for (const Phase& phase : group.phases) {
        if (phase.after) return fmt::format("lanes wait for each other in stage '{}'", stage.name);
        if (!active_everywhere(phase.active, schedule.positions())) {
          return fmt::format("some positions sit out in stage '{}'", stage.name);
        }
        if (((phase.action & action_recv) != 0 && !is_shift(phase.peer_in)) ||
            ((phase.action & action_send) != 0 && !is_shift(phase.peer_out))) {
          return fmt::format("stage '{}' has peers that are not shifts", stage.name);
        }
      }
    }
  }
  return {};
}

UniformProgram compile_uniform(const Schedule& schedule, const StepCosts& costs, std::int32_t loops,
                               std::int32_t slices, std::string& reason) {
  return Compilation(schedule, loops, slices).build(costs, reason);
}

namespace {

std::vector<std::int64_t> gather(const std::vector<std::int64_t>& row, const RankClasses& classes) {
  std::vector<std::int64_t> kept;
  kept.reserve(classes.representative.size());
  for (const std::int32_t x : classes.representative) {
    kept.push_back(row[static_cast<std::size_t>(x)]);
  }
  return kept;
}

// The class of every representative's peer.
std::vector<std::int32_t> peers(const ShiftMap& map, const RankClasses& classes) {
  std::vector<std::int32_t> columns;
  columns.reserve(classes.representative.size());
  for (const std::int32_t x : classes.representative) {
    columns.push_back(classes.class_of[static_cast<std::size_t>(map(x))]);
  }
  return columns;
}

}  // namespace

UniformProgram fold_program(const UniformProgram& program, const RankClasses& classes) {
  UniformProgram folded;
  folded.positions = program.positions;
  folded.columns = classes.count;
  folded.roles = program.roles;
  folded.depth = program.depth;
  folded.pools = program.pools;
  folded.pool_rows = program.pool_rows;
  folded.families = program.families;
  folded.stage_repeat = program.stage_repeat;
  const auto map_of = [&](const std::vector<std::int32_t>& family) {
    return family.empty() ? ShiftMap{1, program.positions, 0}
                          : program.families[static_cast<std::size_t>(family[0])].map;
  };
  for (const auto& stage : program.stages) {
    auto& phases = folded.stages.emplace_back();
    for (const UniformPhase& phase : stage) {
      UniformPhase kept{phase.flat, phase.in_family, phase.out_family, {}, CostBlock()};
      kept.costs.lane = gather(phase.costs.lane, classes);
      kept.costs.port = gather(phase.costs.port, classes);
      kept.costs.latency = gather(phase.costs.latency, classes);
      kept.costs.credit = gather(phase.costs.credit, classes);
      build_runs(peers(inverse(map_of(phase.in_family), program.positions), classes),
                 peers(map_of(phase.out_family), classes), kept.runs);
      phases.push_back(std::move(kept));
    }
  }
  return folded;
}

}  // namespace fabricast
