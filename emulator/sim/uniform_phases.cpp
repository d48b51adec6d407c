// What makes a schedule uniform, and the folding of a uniform program.
#include <fmt/format.h>

#include <algorithm>

#include "emulator/sim/uniform_program.hpp"

namespace fabricast {
namespace {

bool has_family(const PeerMap& map) {
  switch (map.kind) {
    case PeerMap::Kind::linear:
    case PeerMap::Kind::digit:
    case PeerMap::Kind::exclusive:
    case PeerMap::Kind::rounds:
    case PeerMap::Kind::group:
      return true;
    case PeerMap::Kind::none:
    case PeerMap::Kind::absolute:
    case PeerMap::Kind::tree:
    case PeerMap::Kind::table:
      break;
  }
  return false;
}

std::string why_not(const FlatPhase& flat, const Stage& stage, ColumnRange range,
                    std::int32_t positions) {
  const Phase& phase = *flat.phase;
  if (phase.after) return fmt::format("lanes wait for each other in stage '{}'", stage.name);
  if ((flat.receives && !has_family(phase.peer_in)) ||
      (flat.sends && !has_family(phase.peer_out))) {
    return fmt::format("stage '{}' has peers that are not shifts", stage.name);
  }
  if (flat.varies && range.count() < positions) {
    return fmt::format("some positions sit out in stage '{}'", stage.name);
  }
  return {};
}

// May `phase` run where `earlier` does, for other positions? Then its rows are added to its.
bool joins(const UniformPhase& earlier, const UniformPhase& phase) {
  const FlatPhase& a = earlier.flat;
  const FlatPhase& b = phase.flat;
  return a.phase->role == b.phase->role && a.receives == b.receives && a.sends == b.sends &&
         !a.varies && !b.varies && (!a.receives || a.phase->peer_in == b.phase->peer_in) &&
         (!a.sends || a.phase->peer_out == b.phase->peer_out) &&
         (earlier.range.end == phase.range.first || phase.range.end == earlier.range.first);
}

// Adds the phase to its stage. A lane keeps its order: only phases that its positions do not
// execute are passed.
void add_joined(std::vector<UniformPhase>& stage, UniformPhase phase) {
  for (std::size_t i = stage.size(); i-- > 0;) {
    if (joins(stage[i], phase)) {
      stage[i].joined.push_back(phase.flat);
      stage[i].range.first = std::min(stage[i].range.first, phase.range.first);
      stage[i].range.end = std::max(stage[i].range.end, phase.range.end);
      return;
    }
    const bool same_lane = stage[i].flat.phase->role == phase.flat.phase->role;
    if (same_lane && stage[i].range.overlaps(phase.range)) break;
  }
  stage.push_back(std::move(phase));
}

}  // namespace

std::vector<std::vector<UniformPhase>> uniform_phases(const Schedule& schedule,
                                                      std::string& reason) {
  std::vector<std::vector<UniformPhase>> stages(schedule.stages.size());
  const std::int32_t positions = schedule.positions();
  for (const FlatPhase& flat : flatten(schedule)) {
    const Stage& stage = schedule.stages[static_cast<std::size_t>(flat.stage)];
    const Active& active = flat.phase->active;
    UniformPhase phase;
    phase.flat = flat;
    phase.range = {0, positions};
    if (active.kind == Active::Kind::range) {
      phase.range = {std::max(active.first, 0), std::min(active.end, positions)};
    }
    if (phase.range.count() <= 0) continue;
    if (stage.groups[static_cast<std::size_t>(flat.group)].order != StageOrder::rounds) {
      reason = fmt::format("stage '{}' is a tree or a chain", stage.name);
    } else if (active.kind != Active::Kind::all && active.kind != Active::Kind::range) {
      reason = fmt::format("some positions sit out in stage '{}'", stage.name);
    } else {
      reason = why_not(flat, stage, phase.range, positions);
    }
    if (!reason.empty()) return {};
    add_joined(stages[static_cast<std::size_t>(flat.stage)], std::move(phase));
  }
  return stages;
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

// The class of every representative's peer; its own without a map, and for groups.
std::vector<std::int32_t> peers(const FamilyMap* map, std::int32_t positions,
                                const RankClasses& classes) {
  std::vector<std::int32_t> columns;
  columns.reserve(classes.representative.size());
  for (const std::int32_t x : classes.representative) {
    const bool moves = map != nullptr && map->kind != FamilyMap::Kind::group;
    const std::int32_t y = moves ? (*map)(x, positions) : x;
    columns.push_back(classes.class_of[static_cast<std::size_t>(y) % classes.class_of.size()]);
  }
  return columns;
}

}  // namespace

UniformProgram fold_program(const UniformProgram& program, const RankClasses& classes) {
  UniformProgram folded;
  folded.positions = program.positions;
  folded.period = program.period;
  folded.columns = classes.count;
  folded.roles = program.roles;
  folded.depth = program.depth;
  folded.pools = program.pools;
  folded.pool_rows = program.pool_rows;
  folded.families = program.families;
  folded.stage_repeat = program.stage_repeat;
  folded.drains = program.drains;
  folded.steps = program.steps;
  for (Family& family : folded.families) family.receivers = {0, classes.count};
  for (const GroupColumns& group : program.groups) folded.groups.push_back(group.folded(classes));
  const auto map_of = [&](const std::vector<std::int32_t>& family) {
    return family.empty() ? nullptr
                          : &program.families[static_cast<std::size_t>(family.front())].map;
  };
  for (const auto& stage : program.stages) {
    auto& phases = folded.stages.emplace_back();
    for (const UniformPhase& phase : stage) {
      UniformPhase kept = phase;
      kept.range = {0, classes.count};
      kept.costs.lane = gather(phase.costs.lane, classes);
      kept.costs.port = gather(phase.costs.port, classes);
      kept.costs.latency = gather(phase.costs.latency, classes);
      kept.costs.credit = gather(phase.costs.credit, classes);
      const FamilyMap* in = map_of(phase.in_family);
      const FamilyMap back = in == nullptr ? FamilyMap{} : inverse(*in, program.positions);
      build_runs(peers(in == nullptr ? nullptr : &back, program.positions, classes),
                 peers(map_of(phase.out_family), program.positions, classes), kept.runs);
      phases.push_back(std::move(kept));
    }
  }
  return folded;
}

}  // namespace fabricast
