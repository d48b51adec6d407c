#include "emulator/coordinator/ensemble_stage.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>

#include "emulator/base/run_phase.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/sim/ensemble.hpp"
#include "emulator/sim/factor_table.hpp"

namespace fabricast {

EnsembleStage::EnsembleStage(const Topology& topology, const ParameterValues& values,
                             const Scenario& scenario)
    : builder_(topology, scenario.changes),
      values_(values),
      choice_(scenario.ensemble),
      table_(std::make_shared<const FactorTable>(scenario.ensemble.jitter)) {}

std::vector<MemberTimes> EnsembleStage::run(const Communicator& communicator,
                                            const std::vector<PointSpec>& points) {
  const auto processes = static_cast<std::size_t>(communicator.size());
  const auto me = static_cast<std::size_t>(communicator.rank());
  const InstructionSet set = choose_instruction_set("");
  std::string mine;  // "point member ps" by line
  std::size_t unit = 0;
  for (std::size_t p = 0; p < points.size(); ++p) {
    std::optional<CollectiveCase> made;
    std::optional<Ensemble> ensemble;  // wired when the first unit of the point is this process's
    for (std::int32_t first = 0; first < choice_.members; first += members_per_pass, ++unit) {
      if (unit % processes != me || stop_signal() != 0) continue;
      if (!ensemble) {
        made = builder_.build(values_, points[p]);
        ensemble.emplace(*made, *table_, static_cast<std::uint64_t>(choice_.seed), set);
      }
      const auto count = std::min(members_per_pass, choice_.members - first);
      std::int32_t member = first;
      for (const std::int64_t ps : ensemble->times_ps(first, count)) {
        mine +=
            std::to_string(p) + ' ' + std::to_string(member++) + ' ' + std::to_string(ps) + '\n';
      }
      mark_progress();
    }
  }
  std::vector<MemberTimes> times;
  for (const std::string& part : communicator.gather(mine)) {
    times.resize(points.size());
    std::istringstream lines(part);
    std::size_t point = 0, member = 0;
    std::int64_t ps = 0;
    while (lines >> point >> member >> ps) {
      MemberTimes& of = times[point];
      if (of.size() <= member) of.resize(member + 1, 0);
      of[member] = ps;
    }
  }
  return times;
}

}  // namespace fabricast
