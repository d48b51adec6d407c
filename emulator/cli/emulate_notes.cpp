#include "emulator/cli/emulate_notes.hpp"

#include <fmt/format.h>

#include <set>

#include "emulator/cost/offered.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {

std::string what_if_text(const std::vector<std::string>& set, const std::vector<std::string>& slow,
                         std::int32_t slots) {
  std::vector<std::string> changes;
  for (const auto& one : set) changes.push_back("set " + one);
  for (const auto& one : slow) changes.push_back("slow " + one);
  if (slots > 0) changes.push_back(fmt::format("slots {}", slots));
  return changes.empty() ? "" : fmt::format("# what-if: {}\n", fmt::join(changes, "; "));
}

std::string not_of_the_library(const Scenario& scenario, const Topology& topology,
                               const Emulation& emulation) {
  if (scenario.executor != ExecutorKind::nccl) return "";
  std::set<std::string> ours;
  for (const auto& p : emulation.predictions) {
    if (find_algorithm(p.point.algorithm, p.point.collective) == nullptr) continue;  // from a file
    if (!library_has(topology, p.point.collective, p.point.algorithm))
      ours.insert(p.point.algorithm);
  }
  if (ours.empty()) return "";
  return fmt::format(
      "# not NCCL's here: {} (what a library with these schedules would reach); what NCCL itself "
      "takes: fabricast explain\n",
      fmt::join(ours, ", "));
}

}  // namespace fabricast
