#include "emulator/coordinator/trace_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/sim/step_trace.hpp"

namespace fabricast {
namespace {

constexpr std::array<std::string_view, 3> names{"summary", "phases", "steps"};

}  // namespace

std::string_view to_string(TraceLevel level) { return names[static_cast<std::size_t>(level)]; }

TraceLevel trace_level_from_name(const std::string& name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    const std::vector<std::string> known(names.begin(), names.end());
    throw UsageError(unknown_name_message("trace level", name, known));
  }
  return static_cast<TraceLevel>(found - names.begin());
}

std::string TraceChoice::to_yaml() const {
  std::string text = fmt::format("trace: {}\n", to_string(level));
  if (!classes.empty()) text += fmt::format("trace_classes: [{}]\n", fmt::join(classes, ", "));
  if (!window.is_everything()) text += fmt::format("trace_window: {}\n", to_string(window));
  return text;
}

std::int64_t step_rows_at_most(const Scenario& scenario, const Topology& topology) {
  if (scenario.trace.level != TraceLevel::steps) return 0;
  const auto& asked = scenario.trace.classes;
  const auto ranks = asked.empty() ? topology.ranks() : static_cast<std::int32_t>(asked.size());
  std::int64_t rows = 0;
  for (const ScenarioPoint& point : points_of(scenario, topology)) {
    std::int64_t most = 0;
    for (const Protocol protocol : protocols_for(scenario, point)) {
      const ExecutionPlan plan = plan_for(topology, spec_of(scenario, point, protocol));
      most = std::max(most, most_steps_per_rank(plan));
      if (most * ranks >= most_steps_per_result) break;
    }
    rows += std::min(most * ranks, most_steps_per_result);
  }
  return rows;
}

void check_step_rows(std::int64_t rows) {
  if (rows <= most_step_rows) return;
  throw UsageError(
      fmt::format("--trace steps might write {} rows (at most {} of each result, and {} of a run): "
                  "ask for fewer "
                  "sizes (-b, -e, -f), collectives, algorithms or machines, or for some classes "
                  "(--trace-class 0)",
                  rows, most_steps_per_result, most_step_rows));
}

}  // namespace fabricast
