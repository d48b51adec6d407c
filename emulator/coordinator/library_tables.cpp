#include "emulator/coordinator/library_tables.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/coordinator/library_choice.hpp"
#include "emulator/cost/generation_ratios.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/trace/table_rows.hpp"

namespace fabricast {

void add_library_choices(const Scenario& scenario, const std::vector<ScenarioPoint>& points,
                         TraceContent& content) {
  if (!scenario.library) return;
  TableRows rows("/library_choice");
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!points[i].library) continue;
    const LibraryPoint& choice = *points[i].library;
    rows.set("result", static_cast<std::int64_t>(i)).set("library", scenario.library->title());
    rows.set("choice", choice.name).set("channels", choice.channels);
    rows.set("threads", choice.threads).set("tuner_us", choice.tuner_us);
    rows.set("closed_us", choice.closed_us).end_row();
  }
  if (rows.rows() > 0) content.tables.push_back(rows.take());
}

std::string render_library_choices(const TraceContent& content,
                                   const std::set<std::int64_t>& shown) {
  const Table* table = content.find("/library_choice");
  if (table == nullptr) return "";
  const auto& of_row = table->integers("result");
  const auto is_shown = [&](std::int64_t row) { return shown.contains(row); };
  if (std::none_of(of_row.begin(), of_row.end(), is_shown)) return "";
  const Table& results = content.at("/results");
  const auto us = [](double value) {
    return value > 0 ? fmt::format("{:.1f}", value) : std::string("-");
  };
  int outside = 0;
  std::string text = fmt::format(
      "# choice of {} (fabricast explain says why); times in us: of the engine, of the closed "
      "model "
      "(its priors), of the library's own tuner, which chooses with it\n"
      "# {:>4} {:<15} {:>12} {:<14} {:<8} {:>3} {:>7} {:>11} {:>11} {:>7} {:>11}\n",
      table->texts("library").front(), "row", "collective", "size (B)", "choice", "protocol", "ch",
      "threads", "engine", "closed", "ratio", "tuner");
  for (std::size_t i = 0; i < table->rows(); ++i) {
    if (!is_shown(of_row[i])) continue;
    const auto row = static_cast<std::size_t>(of_row[i]);
    const double closed = table->reals("closed_us")[i];
    const double engine = results.reals("time_us").at(row);
    // At the priors only: a profile moves the engine, and the closed model does not know it.
    const bool at_priors = results.reals("measured_share").at(row) == 0;
    const bool apart =
        closed > 0 && at_priors &&
        (closed < results.reals("low_us").at(row) || closed > results.reals("high_us").at(row));
    outside += apart ? 1 : 0;
    text += fmt::format(
        "# {:>4} {:<15} {:>12} {:<14} {:<8} {:>3} {:>7} {:>11.1f} {:>11} {:>7} {:>11}\n", row,
        results.texts("collective")[row], results.integers("bytes")[row], table->texts("choice")[i],
        results.texts("protocol")[row], results.integers("channels")[row],
        table->integers("threads")[i], engine, us(closed),
        closed > 0 ? fmt::format("{:.2f}{}", engine / closed, apart ? "!" : "") : "-",
        us(table->reals("tuner_us")[i]));
  }
  if (outside > 0) {
    text += fmt::format(
        "# {} row{} with !: the closed model is outside the interval of the row, the two disagree "
        "about a mechanism (docs/nccl-choice.md)\n",
        outside, outside == 1 ? "" : "s");
  }
  return text;
}

namespace {

std::map<std::string, std::string> notes_of(const std::vector<const Topology*>& machines,
                                            bool named) {
  std::map<std::string, std::string> attributes;
  std::set<std::string> libraries;
  std::string generations;
  for (const Topology* machine : machines) {
    const auto library = library_of(*machine);
    if (library != "nccl") libraries.insert(library);
    std::istringstream lines(generation_note(*machine));
    std::string line;
    while (std::getline(lines, line)) {
      if (!generations.empty()) generations += '\n';
      // Lines of parameters are indented and follow those of their machine.
      if (named && !line.starts_with(' ')) generations += machine->name() + ": ";
      generations += line;
    }
  }
  if (!libraries.empty()) {
    attributes["library_note"] = fmt::format("costs of NCCL's are used; library {} is not modelled",
                                             fmt::join(libraries, ", "));
  }
  if (!generations.empty()) attributes["generation_note"] = std::move(generations);
  return attributes;
}

}  // namespace

std::map<std::string, std::string> note_attributes(const std::vector<const Topology*>& machines) {
  return notes_of(machines, true);
}

std::map<std::string, std::string> note_attributes(ExecutorKind executor, const Topology& machine) {
  if (executor != ExecutorKind::nccl) return {};
  return notes_of({&machine}, false);
}

std::string not_of_the_library(const Scenario& scenario, const Topology& topology) {
  if (scenario.executor != ExecutorKind::nccl) return "";
  const bool nccl = library_of(topology) == "nccl";
  std::string text;
  std::set<std::pair<Collective, std::string>> seen;
  for (const auto& point : points_of(scenario, topology)) {
    const auto* entry = find_algorithm(point.algorithm, point.collective);
    if (entry == nullptr || !seen.emplace(point.collective, point.algorithm).second) continue;
    const char* kind = nullptr;
    if (reduces_between_domains(entry->needs)) {
      if (!scenario.library) kind = "sharp";
    } else if (nccl && needs_windows(point.collective, point.algorithm)) {
      kind = "windows";
    } else if (nccl && !library_has(topology, point.collective, point.algorithm)) {
      kind = "schedule";
    }
    if (kind == nullptr) continue;
    text += fmt::format("{} {} {}\n", kind, to_string(point.collective), point.algorithm);
  }
  return text;
}

std::string library_lines(const TraceContent& content, const std::set<std::int64_t>& shown) {
  const auto found = content.attributes.find("not_of_the_library");
  if (found == content.attributes.end()) return "";
  const Table& results = content.at("/results");
  std::set<std::pair<std::string, std::string>> rows;
  for (const auto row : shown) {
    const auto at = static_cast<std::size_t>(row);
    rows.emplace(results.texts("collective")[at], results.texts("algorithm")[at]);
  }
  std::map<std::string, std::set<std::string>> algorithms;  // by kind
  std::istringstream lines(found->second);
  std::string kind, collective, algorithm;
  while (lines >> kind >> collective >> algorithm) {
    if (rows.contains({collective, algorithm})) algorithms[kind].insert(algorithm);
  }
  std::string text;
  const auto add = [&](const char* of, std::string_view before, std::string_view after) {
    const auto names = algorithms.find(of);
    if (names == algorithms.end()) return;
    text += fmt::format("# {}: {} {}\n", before, fmt::join(names->second, ", "), after);
  };
  add("sharp", "what-if",
      "is NCCL's only with NCCL_COLLNET_ENABLE=1, a SHARP plugin and switches set up for it");
  add("windows", "what-if",
      "is NCCL's only for buffers in symmetric windows (2.27 and later; fabricast explain "
      "--symmetric)");
  add("schedule", "not NCCL's here",
      "(what a library with these schedules would reach); what NCCL itself takes: fabricast "
      "explain");
  return text;
}

std::string note_lines(const std::map<std::string, std::string>& attributes, bool why) {
  std::string text;
  for (const char* const key : {"library_note", "generation_note"}) {
    const auto note = attributes.find(key);
    if (note == attributes.end()) continue;
    std::istringstream lines(note->second);
    std::string line;
    // Lines of parameters are indented.
    while (std::getline(lines, line)) {
      if (why || !line.starts_with(' ')) text += "# " + line + "\n";
    }
  }
  return text;
}

}  // namespace fabricast
