#include "emulator/report/json.hpp"

#include <nlohmann/json.hpp>

namespace fabricast {
namespace {

// A path from a message may hold any bytes; JSON must stay JSON.
std::string dump(const nlohmann::ordered_json& document) {
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

nlohmann::ordered_json value_of(const Table& table, const Column& column, std::size_t row) {
  if (const auto* integers = std::get_if<Column::Integers>(&column.values)) return (*integers)[row];
  if (const auto* reals = std::get_if<Column::Reals>(&column.values)) return (*reals)[row];
  if (const auto* texts = std::get_if<Column::Texts>(&column.values)) return (*texts)[row];
  return table.meaning(column.name, row);
}

}  // namespace

std::string render_json(const TraceContent& content, const TableOptions& options) {
  std::vector<ResultRow> rows = result_rows(content, options.filter);
  if (options.best) rows = fastest_rows(rows);
  const Table& table = content.at("/results");
  nlohmann::ordered_json document;
  document["attributes"] = content.attributes;
  document["results"] = nlohmann::ordered_json::array();
  for (const ResultRow& row : rows) {
    nlohmann::ordered_json object;
    object["row"] = row.row;
    for (const Column& column : table.columns) {
      object[column.name] = value_of(table, column, static_cast<std::size_t>(row.row));
    }
    document["results"].push_back(std::move(object));
  }
  return dump(document);
}

std::string render_json(const std::vector<TraceProblem>& problems) {
  nlohmann::ordered_json document;
  document["ok"] = problems.empty();
  document["problems"] = nlohmann::ordered_json::array();
  for (const TraceProblem& problem : problems) {
    document["problems"].push_back({{"where", problem.where}, {"what", problem.what}});
  }
  return dump(document);
}

}  // namespace fabricast
