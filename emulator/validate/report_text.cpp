#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emulator/validate/scores.hpp"
#include "emulator/validate/validation_report.hpp"

namespace fabricast {
namespace {

constexpr std::size_t worst_count = 12;

std::string band_errors(const JudgedTable& table) {
  std::string text;
  for (const SizeBand& band : size_bands()) {
    const auto error = table_error(table, band, Scored::prediction);
    text += error ? fmt::format(" {:>9.1f}", 100 * *error) : fmt::format(" {:>9}", "-");
  }
  const auto baseline = table_error(table, size_bands()[0], Scored::baseline);
  text += baseline ? fmt::format(" {:>9.1f}", 100 * *baseline) : fmt::format(" {:>9}", "-");
  return text;
}

std::string band_header(std::string_view first) {
  std::string text = fmt::format("  {:<44}", first);
  for (const SizeBand& band : size_bands()) text += fmt::format(" {:>9}", band.name);
  return text + fmt::format(" {:>9}\n", "baseline");
}

std::string class_lines(const Validation& validation, Discipline discipline) {
  std::string text = band_header("class (median over tables, %)");
  for (const bool by_class : {false, true}) {
    for (const GroupScore& all :
         group_scores(validation, discipline, size_bands()[0], Scored::prediction, by_class)) {
      std::string line = fmt::format("  {:<44}", fmt::format("{} ({})", all.group, all.tables));
      const auto add = [&](const SizeBand& band, Scored scored) {
        std::string cell = "-";
        for (const GroupScore& score :
             group_scores(validation, discipline, band, scored, by_class)) {
          if (score.group == all.group) cell = fmt::format("{:.1f}", 100 * score.median);
        }
        line += fmt::format(" {:>9}", cell);
      };
      for (const SizeBand& band : size_bands()) add(band, Scored::prediction);
      add(size_bands()[0], Scored::baseline);
      text += line + "\n";
    }
  }
  return text;
}

std::string target_lines(const Validation& validation) {
  std::string text = fmt::format("{:<36} {:>6} {:>9} {:>9} {:>9} {:>22} {:>6}\n", "target",
                                 "tables", "median", "baseline", "wanted", "within", "met");
  for (const TargetScore& target : target_scores(validation)) {
    text += fmt::format("{:<36} {:>6} {:>9} {:>9} {:>9} {:>22} {:>6}\n", target.name,
                        target.score.tables, percent(target.score.median),
                        target.baseline.tables > 0 ? percent(target.baseline.median) : "-",
                        percent(target.target_median),
                        fmt::format("{:.0f} of {:.0f} % in {:.0f} %",
                                    100 * target.score.part_within(target.target_bound),
                                    100 * target.target_part, 100 * target.target_bound),
                        target.met() ? "yes" : "no");
  }
  return text;
}

nlohmann::json table_json(const Validation& validation, const JudgedTable& judged) {
  const PublishedTable& table = validation.tables[judged.table];
  nlohmann::json entry;
  entry["file"] = table.column("file");
  entry["system"] = table.column("system");
  entry["class"] = table.column("system_class");
  entry["collective"] = to_string(table.collective);
  entry["ranks"] = table.ranks;
  entry["discipline"] = to_string(judged.discipline);
  for (const SizeBand& band : size_bands()) {
    const auto error = table_error(judged, band, Scored::prediction);
    const auto baseline = table_error(judged, band, Scored::baseline);
    entry["error"][band.name] = error ? nlohmann::json(*error) : nlohmann::json();
    entry["baseline"][band.name] = baseline ? nlohmann::json(*baseline) : nlohmann::json();
  }
  for (const JudgedPoint& point : judged.points) {
    entry["points"].push_back({{"size_bytes", point.bytes},
                               {"measured_us", point.measured_us},
                               {"predicted_us", point.predicted_us},
                               {"sigma", point.sigma},
                               {"algorithm", to_string(point.choice.algorithm)},
                               {"protocol", to_string(point.choice.protocol)}});
  }
  return entry;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    result += c;
    if (c == '"') result += c;
  }
  return result + "\"";
}

// What was assumed of the judged tables, where their rows leave it open.
std::string assumptions_text(const Validation& validation) {
  std::set<std::size_t> judged;
  for (const JudgedTable& one : validation.judged) judged.insert(one.table);
  std::string text;
  for (const std::size_t i : judged) {
    const std::string& file = validation.tables[i].column("file");
    for (const std::string& assumption : validation.machines[i].assumptions) {
      text += fmt::format("  {}: {}\n", file, assumption);
    }
    if (const int rows = validation.tables[i].untimed_rows; rows > 0) {
      text += fmt::format("  {}: {} row{} without a size and a time left out\n", file, rows,
                          rows == 1 ? "" : "s");
    }
  }
  return text.empty() ? "" : "\nassumed\n" + text;
}

}  // namespace

std::string render_validation_text(const Validation& validation, bool all_tables) {
  std::string text = target_lines(validation);
  for (const Discipline discipline : all_disciplines) {
    const auto tables = worst_first(validation, discipline);
    if (tables.empty()) continue;
    text += fmt::format("\n{}: {} tables", to_string(discipline), tables.size());
    if (const auto part = coverage(validation, discipline)) {
      text += fmt::format(", {:.0f} % of points inside their 90 % interval", 100 * *part);
    }
    text += "\n" + class_lines(validation, discipline) + band_header("worst tables (%)");
    for (std::size_t i = 0; i < tables.size() && (all_tables || i < worst_count); ++i) {
      const std::string& file = validation.tables[tables[i]->table].column("file");
      text += fmt::format("  {:<44}{}\n", file, band_errors(*tables[i]));
    }
  }
  if (all_tables) text += assumptions_text(validation);
  if (!validation.skipped.empty()) text += "\nskipped\n";
  for (const SkippedTable& skipped : validation.skipped) {
    text +=
        fmt::format("  {}: {}\n", validation.tables[skipped.table].column("file"), skipped.reason);
  }
  return text;
}

std::string render_validation_csv(const Validation& validation) {
  std::string text =
      "discipline,file,system,class,collective,ranks,size_bytes,measured_us,predicted_us,"
      "sigma_ln,baseline_us,algorithm,protocol,channels\r\n";
  for (const JudgedTable& judged : validation.judged) {
    const PublishedTable& table = validation.tables[judged.table];
    for (const JudgedPoint& point : judged.points) {
      text += fmt::format("{},{},{},{},{},{},{:.0f},{:.4g},{:.4g},{:.3f},{:.4g},{},{},{:.0f}\r\n",
                          to_string(judged.discipline), quoted(table.column("file")),
                          quoted(table.column("system")), table.column("system_class"),
                          to_string(table.collective), table.ranks, point.bytes, point.measured_us,
                          point.predicted_us, point.sigma, point.baseline_us,
                          to_string(point.choice.algorithm), to_string(point.choice.protocol),
                          point.choice.channels);
    }
  }
  return text;
}

std::string render_validation_json(const Validation& validation) {
  nlohmann::json document;
  document["targets"] = nlohmann::json::array();
  for (const TargetScore& target : target_scores(validation)) {
    document["targets"].push_back({{"name", target.name},
                                   {"tables", target.score.tables},
                                   {"median", target.score.median},
                                   {"baseline_median", target.baseline.median},
                                   {"within", target.score.part_within(target.target_bound)},
                                   {"target_median", target.target_median},
                                   {"target_bound", target.target_bound},
                                   {"target_within", target.target_part},
                                   {"met", target.met()}});
  }
  for (const Discipline discipline : all_disciplines) {
    const auto part = coverage(validation, discipline);
    if (part) document["coverage"][std::string(to_string(discipline))] = *part;
  }
  document["tables"] = nlohmann::json::array();
  for (const JudgedTable& judged : validation.judged) {
    document["tables"].push_back(table_json(validation, judged));
  }
  document["skipped"] = nlohmann::json::array();
  for (const SkippedTable& skipped : validation.skipped) {
    document["skipped"].push_back(
        {{"file", validation.tables[skipped.table].column("file")}, {"reason", skipped.reason}});
  }
  return document.dump(1) + "\n";
}

}  // namespace fabricast
