#include "emulator/schedule/verify/lane_source.hpp"

namespace fabricast {

bool LaneSource::next_bundle(std::int32_t lane, Cursor& at, LaneProgram& bundle) const {
  const auto clear = [&] {
    bundle.steps.clear();
    bundle.origins.clear();
    bundle.extras.clear();
  };
  if (programs_ != nullptr) {
    const LaneProgram& program = (*programs_)[static_cast<std::size_t>(lane)];
    const auto bundles = static_cast<std::int32_t>(program.bundles.size()) - 1;
    clear();
    if (at.stage >= bundles) return false;
    const auto first = program.bundles[static_cast<std::size_t>(at.stage)];
    const auto end = program.bundles[static_cast<std::size_t>(at.stage) + 1];
    bundle.steps.assign(program.steps.begin() + first, program.steps.begin() + end);
    bundle.origins.assign(program.origins.begin() + first, program.origins.begin() + end);
    bundle.extras.assign(program.extras.begin() + first, program.extras.begin() + end);
    ++at.stage;
    return true;
  }
  const auto stages = static_cast<std::int32_t>(schedule_.stages.size());
  while (at.stage < stages) {
    if (at.repetition >= schedule_.stages[static_cast<std::size_t>(at.stage)].repeat) {
      ++at.stage;
      at.repetition = 0;
      continue;
    }
    clear();
    expand_bundle(schedule_, placement_, lane / schedule_.roles, lane % schedule_.roles, at.stage,
                  at.repetition++, bundle);
    if (!bundle.steps.empty()) return true;
  }
  return false;
}

std::vector<LaneProgram> expand_all(const Schedule& schedule, const Placement& placement) {
  std::vector<LaneProgram> programs;
  for (std::int32_t rank = 0; rank < schedule.positions(); ++rank) {
    for (std::int32_t role = 0; role < schedule.roles; ++role) {
      programs.push_back(expand(schedule, placement, rank, role));
    }
  }
  return programs;
}

}  // namespace fabricast
