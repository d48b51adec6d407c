#include "emulator/report/compare_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emulator/report/csv.hpp"
#include "emulator/report/result_rows.hpp"

namespace fabricast {
namespace {

constexpr std::size_t max_explanations = 3;
constexpr std::size_t max_parameters = 12;

double percent(double ln) { return 100 * std::expm1(ln); }
std::string signed_percent(double ln) { return fmt::format("{:+.1f} %", percent(ln)); }

std::string time_text(double us) { return us > 0 ? fmt::format("{:.6g}", us) : "-"; }

using Cells = std::array<std::string, 12>;
constexpr std::size_t left_aligned_from = 5;

Cells cells_of(const ComparedRow& row) {
  const bool compared = row.base_us > 0 && row.new_us > 0;
  const RowKey& key = row.key;
  return {std::string(to_string(row.outcome)),
          compared ? signed_percent(row.change_ln) : "-",
          compared && row.noise_ln > 0 ? fmt::format("{:.1f} %", percent(row.noise_ln)) : "-",
          time_text(row.base_us),
          time_text(row.new_us),
          key.collective,
          key.algorithm,
          key.protocol,
          size_text(key.bytes),
          fmt::format("{} ranks, {} ch", key.ranks, key.channels),
          key.redop.empty() ? type_name(key.dtype)
                            : fmt::format("{} {}", type_name(key.dtype), key.redop),
          fmt::format("{} {}, {}{}{}{}", key.executor, key.machine,
                      key.measured ? "measured" : "predicted",
                      key.engine.empty() ? "" : " by " + key.engine,
                      key.job.empty() ? "" : ", job " + key.job, key.in_place ? ", in place" : "")};
}

std::string table_text(const std::vector<const ComparedRow*>& rows, const Comparison& comparison) {
  std::vector<Cells> lines{{"# verdict", "change", "noise", "base us", "new us", "collective",
                            "algorithm", "protocol", "size", "shape", "type", "where"}};
  for (const ComparedRow* row : rows) lines.push_back(cells_of(*row));
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], cells[i].size());
    }
  }
  std::string text;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool left = i == 0 || i >= left_aligned_from;
      line += i == 0 ? "" : "  ";
      line += left ? fmt::format("{:<{}}", lines[n][i], widths[i])
                   : fmt::format("{:>{}}", lines[n][i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    if (n == 0) continue;
    const ComparedRow& row = *rows[n - 1];
    if (!row.reason.empty()) text += fmt::format("#   {}\n", row.reason);
    if (!row.other_choice.empty()) {
      text += fmt::format("#   another choice: {} in the base\n", row.other_choice);
    }
    for (std::size_t k = 0; k < row.explanations.size() && k < max_explanations; ++k) {
      const Explanation& e = row.explanations[k];
      const ParameterChange& change = comparison.parameters[e.parameter];
      text += fmt::format("#   {} {:.4g} -> {:.4g} {}: about {:.1f} % of the time\n", change.id,
                          change.base, change.fresh, change.unit, percent(e.effect_ln));
    }
    const bool changed = row.outcome == Outcome::slower || row.outcome == Outcome::faster;
    if (changed && !row.key.measured && row.explanations.empty()) {
      text +=
          comparison.parameters.empty()
              ? "#   no parameter of its profile changed: the model, the machine or an option did\n"
              : "#   the base's time does not depend on the parameters that changed: another path, "
                "protocol or option decides now\n";
    }
  }
  return text;
}

std::string parameters_text(const Comparison& comparison) {
  if (comparison.parameters.empty()) return "";
  std::vector<const ParameterChange*> order;
  for (const ParameterChange& change : comparison.parameters) order.push_back(&change);
  const auto size = [](const ParameterChange* c) {
    return c->base > 0 && c->fresh > 0 ? std::abs(std::log(c->fresh / c->base)) : HUGE_VAL;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return size(a) > size(b); });
  std::string text = fmt::format("# {} parameters have another value\n", order.size());
  for (std::size_t i = 0; i < order.size() && i < max_parameters; ++i) {
    const ParameterChange& c = *order[i];
    text += fmt::format("#   {:<30} {:>10.5g} -> {:<10.5g} {:<5} {} {} ({})\n", c.id, c.base,
                        c.fresh, c.unit, c.executor, c.machine, c.source);
  }
  if (order.size() > max_parameters) {
    text += fmt::format("#   ... and {} more (--json has all)\n", order.size() - max_parameters);
  }
  return text;
}

std::string groups_text(const Comparison& comparison) {
  std::string text;
  for (const ComparedGroup& g : comparison.groups) {
    text += fmt::format(
        "# {} {}: {} measured rows against {} run{}, all together {} (noise {:.1f} %)\n",
        g.executor, g.machine, g.rows, g.bases, g.bases == 1 ? "" : "s",
        signed_percent(g.change_ln), percent(g.noise_ln));
    text += fmt::format(
        "#   a slow-down is found 19 times of 20 from {:.0f} % on in all rows, {:.0f} % in one\n",
        percent(g.detectable_ln), percent(g.row_detectable_ln));
    if (g.assumed) {
      text += comparison.options.run_noise
                  ? "#   one base: the noise from run to run is what --run-noise says\n"
                  : "#   one base: the noise from run to run is assumed; several bases tell it\n";
    }
  }
  return text;
}

nlohmann::ordered_json row_json(const ComparedRow& row, const Comparison& comparison) {
  nlohmann::ordered_json object;
  const RowKey& key = row.key;
  object["outcome"] = to_string(row.outcome);
  object["kind"] = key.measured ? "measured" : "predicted";
  object["machine"] = key.machine;
  object["executor"] = key.executor;
  object["collective"] = key.collective;
  object["algorithm"] = key.algorithm;
  object["protocol"] = key.protocol;
  object["channels"] = key.channels;
  object["ranks"] = key.ranks;
  object["bytes"] = key.bytes;
  object["dtype"] = key.dtype;
  object["redop"] = key.redop;
  object["in_place"] = key.in_place;
  object["engine"] = key.engine;
  object["job"] = key.job;
  object["base_us"] = row.base_us;
  object["new_us"] = row.new_us;
  object["change_percent"] = percent(row.change_ln);
  object["noise_percent"] = percent(row.noise_ln);
  object["detectable_percent"] = percent(row.detectable_ln);
  object["p"] = row.p;
  object["base_runs"] = row.bases;
  object["reason"] = row.reason;
  object["base_choice"] = row.other_choice;
  object["explanations"] = nlohmann::ordered_json::array();
  for (const Explanation& e : row.explanations) {
    object["explanations"].push_back({{"parameter", comparison.parameters[e.parameter].id},
                                      {"share", e.share},
                                      {"effect_percent", percent(e.effect_ln)}});
  }
  return object;
}

}  // namespace

std::string render_comparison(const Comparison& comparison, bool all) {
  std::string text = fmt::format(
      "# {} base trace{}; threshold {:.4g} %; at most {:.4g} % of comparisons of equals alarm "
      "(Student, Holm)\n",
      comparison.bases, comparison.bases == 1 ? "" : "s", 100 * comparison.options.threshold,
      100 * comparison.options.alpha);
  for (const std::string& warning : comparison.warnings) {
    text += fmt::format("# warning: {}\n", warning);
  }
  std::vector<const ComparedRow*> shown;
  for (const ComparedRow& row : comparison.rows) {
    if (all || !row.other_choice.empty() ||
        (row.outcome != Outcome::same && row.outcome != Outcome::added)) {
      shown.push_back(&row);
    }
  }
  text += parameters_text(comparison);
  if (!shown.empty()) text += table_text(shown, comparison);
  text += groups_text(comparison);
  text += fmt::format("# {} slower, {} faster, {} the same, {} missing, {} new, {} unjudged\n",
                      comparison.count(Outcome::slower), comparison.count(Outcome::faster),
                      comparison.count(Outcome::same), comparison.count(Outcome::missing),
                      comparison.count(Outcome::added), comparison.count(Outcome::unjudged));
  return text + comparison.verdict + "\n";
}

std::string render_comparison_json(const Comparison& comparison) {
  nlohmann::ordered_json document;
  document["ok"] = comparison.ok;
  document["verdict"] = comparison.verdict;
  document["bases"] = comparison.bases;
  document["threshold_percent"] = 100 * comparison.options.threshold;
  document["alpha_percent"] = 100 * comparison.options.alpha;
  for (const Outcome outcome : {Outcome::slower, Outcome::faster, Outcome::same, Outcome::missing,
                                Outcome::added, Outcome::unjudged}) {
    document["counts"][std::string(to_string(outcome))] = comparison.count(outcome);
  }
  document["warnings"] = comparison.warnings;
  for (const char* list : {"groups", "parameters", "rows"}) {
    document[list] = nlohmann::ordered_json::array();
  }
  for (const ComparedGroup& g : comparison.groups) {
    document["groups"].push_back({{"machine", g.machine},
                                  {"executor", g.executor},
                                  {"rows", g.rows},
                                  {"base_runs", g.bases},
                                  {"change_percent", percent(g.change_ln)},
                                  {"noise_percent", percent(g.noise_ln)},
                                  {"detectable_percent", percent(g.detectable_ln)},
                                  {"row_detectable_percent", percent(g.row_detectable_ln)},
                                  {"noise_assumed", g.assumed}});
  }
  for (const ParameterChange& c : comparison.parameters) {
    document["parameters"].push_back({{"id", c.id},
                                      {"machine", c.machine},
                                      {"executor", c.executor},
                                      {"unit", c.unit},
                                      {"base", c.base},
                                      {"new", c.fresh},
                                      {"base_source", c.base_source},
                                      {"source", c.source}});
  }
  for (const ComparedRow& row : comparison.rows) {
    document["rows"].push_back(row_json(row, comparison));
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string render_comparison_csv(const Comparison& comparison) {
  std::string text =
      "outcome,kind,machine,executor,collective,algorithm,protocol,channels,ranks,bytes,dtype,"
      "redop,in_place,base_us,new_us,change_percent,noise_percent,detectable_percent,p,base_runs,"
      "reason,engine,job\r\n";
  for (const ComparedRow& row : comparison.rows) {
    const RowKey& key = row.key;
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
        to_string(row.outcome), key.measured ? "measured" : "predicted", csv_quoted(key.machine),
        csv_quoted(key.executor), csv_quoted(key.collective), csv_quoted(key.algorithm),
        csv_quoted(key.protocol), key.channels, key.ranks, key.bytes, csv_quoted(key.dtype),
        csv_quoted(key.redop), key.in_place ? "yes" : "no", row.base_us, row.new_us,
        percent(row.change_ln), percent(row.noise_ln), percent(row.detectable_ln), row.p, row.bases,
        csv_quoted(row.reason), csv_quoted(key.engine), csv_quoted(key.job));
  }
  return text;
}

}  // namespace fabricast
