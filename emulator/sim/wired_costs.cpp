// What a wired program holds: its memory, and the costs of its steps from other cost sets.
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

std::int64_t program_bytes(const WiredProgram& program) {
  const auto bytes = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  std::int64_t sum = bytes(program.connections);
  for (const WiredSegment& segment : program.segments) {
    sum += bytes(segment.steps) + bytes(segment.phase_of) + bytes(segment.begin) +
           bytes(segment.bundle_of) + bytes(segment.bundles) + bytes(segment.wide_steps) +
           bytes(segment.wide_connections);
    if (segment.order) sum += bytes(segment.order->lanes) + bytes(segment.order->connections);
  }
  return sum;
}

std::vector<std::vector<WiredCosts>> costs_of_steps(const WiredProgram& program,
                                                    const Schedule& schedule,
                                                    const StepCosts& costs) {
  const auto flat = flatten(schedule);
  const auto positions = static_cast<std::size_t>(schedule.positions());
  std::vector<CostBlock> blocks(flat.size(), CostBlock(0));
  std::vector<std::vector<WiredCosts>> result;
  for (const WiredSegment& segment : program.segments) {
    auto& to = result.emplace_back(segment.steps.size());
    for (std::int32_t k = 0; k < (segment.unrolled() ? segment.repeat : 1); ++k) {
      for (std::size_t f = 0; f < flat.size(); ++f) {
        if (flat[f].stage != segment.stage || (k > 0 && !flat[f].varies)) continue;
        if (blocks[f].lane.empty()) blocks[f] = CostBlock(positions);
        blocks[f].fill(costs, flat[f], flat[f].varies ? k : 0);
      }
      for (std::int32_t lane = 0; lane < program.lanes; ++lane) {
        const auto at = static_cast<std::size_t>(lane);
        const auto x = static_cast<std::size_t>(lane / program.roles);
        auto first = static_cast<std::size_t>(segment.begin[at]);
        auto end = static_cast<std::size_t>(segment.begin[at + 1]);
        if (segment.unrolled() && first < end) {
          const auto bundle = static_cast<std::size_t>(segment.bundle_of[at] + k);
          first = static_cast<std::size_t>(segment.bundles[bundle]);
          end = static_cast<std::size_t>(segment.bundles[bundle + 1]);
        }
        for (std::size_t i = first; i < end; ++i) {
          const CostBlock& from = blocks[segment.phase_of[i]];
          to[i] = {from.lane[x], from.port[x], from.latency[x], from.credit[x]};
        }
      }
    }
  }
  return result;
}

}  // namespace fabricast
