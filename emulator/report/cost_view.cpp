#include "emulator/report/cost_view.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/report/result_rows.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/model/machine_cost.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

MachineSpec spec_of(const TraceContent& content, const std::string& machine) {
  const auto found = content.documents.find("/machine/" + machine);
  if (found == content.documents.end()) {
    throw UsageError(
        fmt::format("the trace has no file of the machine {} (its rows were measured elsewhere); "
                    "choose another "
                    "with --machine",
                    machine));
  }
  const auto built =
      std::dynamic_pointer_cast<const BuiltTopology>(parse_machine(found->second, machine));
  return built->spec();
}

std::string head(const ResultRow& row, const RunningCost& cost, std::optional<double> compute_us) {
  std::string text = fmt::format("# {} on {}, {} ranks, executor {}: ", row.collective, row.machine,
                                 row.ranks, row.executor);
  text += cost.watts > 0 ? fmt::format("{:.6g} kW ({})", cost.watts / 1000, cost.counts)
                         : std::string("power not given");
  text += cost.usd_per_hour > 0 ? fmt::format(", {:.6g} USD per hour (price of {})",
                                              cost.usd_per_hour, cost.price_date)
                                : std::string(", no price given");
  std::string titles = fmt::format("\n#{:>13}  {:>9}  {:>10}  {:>12}  {:>14}", "size (B)",
                                   "time (us)", "energy (J)", "J per GB", "USD per 1000");
  if (compute_us) {
    text += fmt::format(
        "\n# exposed: what is longer than the {:.6g} us of computation beside it (given by "
        "--compute)",
        *compute_us);
    titles += fmt::format("  {:>12}  {:>17}", "exposed (us)", "idle USD per 1000");
  }
  return text + titles + "  algorithm\n";
}

std::string line(const ResultRow& row, const RunningCost& cost, std::optional<double> compute_us) {
  const double seconds = static_cast<double>(row.time_ps) * 1e-12;
  const auto number = [](bool known, double value) {
    return known ? fmt::format("{:.4g}", value) : std::string("-");
  };
  const double energy = joules(cost, seconds);
  std::string exposed;
  if (compute_us) {
    const double us = std::max(0.0, row.time_us - *compute_us);
    exposed = fmt::format("  {:>12.6g}  {:>17}", us,
                          number(cost.usd_per_hour > 0, 1000 * dollars(cost, us * 1e-6)));
  }
  return fmt::format(
      "{:>14}  {:>9.6g}  {:>10}  {:>12}  {:>14}{}  {}\n", row.bytes, row.time_us,
      number(cost.watts > 0, energy),
      number(cost.watts > 0 && row.bytes > 0, energy / (static_cast<double>(row.bytes) * 1e-9)),
      number(cost.usd_per_hour > 0, 1000 * dollars(cost, seconds)), exposed, row.algorithm);
}

}  // namespace

std::string render_cost(const TraceContent& content, const TableOptions& options,
                        std::optional<double> compute_us) {
  std::vector<ResultRow> rows = result_rows(content, options.filter);
  if (options.best) rows = fastest_rows(rows);
  if (rows.empty()) return "# no results\n";
  std::map<std::string, MachineSpec> specs;
  std::string text, last;
  for (const ResultRow& row : rows) {
    if (!specs.contains(row.machine)) specs.emplace(row.machine, spec_of(content, row.machine));
    const RunningCost cost = running_cost(specs.at(row.machine), row.ranks);
    const std::string title = head(row, cost, compute_us);
    if (title != last) text += title;
    last = title;
    text += line(row, cost, compute_us);
  }
  return text;
}

}  // namespace fabricast
