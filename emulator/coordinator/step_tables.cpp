#include "emulator/coordinator/step_tables.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "emulator/schedule/step.hpp"

namespace fabricast {
namespace {

// MSCCL's instructions, spelled out (schedule/step.hpp).
std::string name_of(std::uint8_t action) {
  constexpr std::array<std::pair<Action, std::string_view>, 4> parts{{{action_recv, "recv"},
                                                                      {action_reduce, "reduce"},
                                                                      {action_copy, "copy"},
                                                                      {action_send, "send"}}};
  std::string name;
  for (const auto& [bit, part] : parts) {
    if ((action & bit) == 0) continue;
    name += (name.empty() ? "" : "_") + std::string(part);
  }
  return name.empty() ? "wait" : name;
}

std::string_view name_of(StepBound bound) {
  constexpr std::array<std::string_view, 5> names{"nothing", "lane", "data", "slot", "other_lane"};
  return names[static_cast<std::size_t>(bound)];
}

}  // namespace

void add_steps(std::int64_t result, const StepTrace& trace, TableRows& steps, TableRows& coverage) {
  for (const TracedStep& row : trace.rows) {
    steps.set("result", result).set("channel", trace.channel).set("class", row.rank_class);
    steps.set("members", row.members).set("rank", row.rank).set("role", row.role);
    steps.set("step", row.step).set("stage", trace.stages[static_cast<std::size_t>(row.stage)]);
    steps.set("loop", row.loop).set("repetition", row.repetition).set("slice", row.slice);
    steps.set("action", name_of(row.action)).set("peer_in", row.peer_in);
    steps.set("peer_out", row.peer_out).set("bytes", row.bytes).set("bound", name_of(row.bound));
    steps.set("start_ps", row.start_ps).set("end_ps", row.end_ps).set("ready_ps", row.ready_ps);
    steps.end_row();
  }
  coverage.set("result", result).set("channel", trace.channel).set("classes", trace.classes);
  coverage.set("steps", trace.steps).set("rows", trace.rows.size());
  coverage.set("complete_until_ps", trace.complete_until_ps).end_row();
}

std::string note_on_steps(const TraceContent& content) {
  const Table* coverage = content.find("/step_coverage");
  if (coverage == nullptr) return {};
  const auto& steps = coverage->integers("steps");
  const auto& rows = coverage->integers("rows");
  std::size_t cut = 0, none = 0;
  for (std::size_t i = 0; i < coverage->rows(); ++i) {
    cut += rows[i] < steps[i] ? 1 : 0;
    none += steps[i] == 0 ? 1 : 0;
  }
  std::string text;
  if (cut > 0) {
    text = fmt::format(
        "{} of {} results have more steps than are kept of one: /step_coverage says how many and "
        "until "
        "when; --trace-class and --trace-window choose others",
        cut, coverage->rows());
  }
  if (none > 0) {
    text += fmt::format("{}{} of {} results have no step of the classes and the window asked for",
                        text.empty() ? "" : "; ", none, coverage->rows());
  }
  return text;
}

}  // namespace fabricast
