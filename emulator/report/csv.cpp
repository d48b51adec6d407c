#include "emulator/report/csv.hpp"

#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/report/table_view.hpp"

namespace fabricast {
namespace {

std::string cell(const Table& table, const Column& column, std::size_t row) {
  if (const auto* integers = std::get_if<Column::Integers>(&column.values)) {
    return fmt::format("{}", (*integers)[row]);
  }
  if (const auto* reals = std::get_if<Column::Reals>(&column.values)) {
    return fmt::format("{}", (*reals)[row]);
  }
  if (const auto* texts = std::get_if<Column::Texts>(&column.values)) {
    return csv_quoted((*texts)[row]);
  }
  return csv_quoted(table.meaning(column.name, row));
}

}  // namespace

std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string render_csv(const TraceContent& content, std::string_view table_path) {
  const std::string path =
      table_path.starts_with('/') ? std::string(table_path) : "/" + std::string(table_path);
  const Table* table = content.find(path);
  if (table == nullptr) {
    std::vector<std::string> known;
    for (const Table& one : content.tables) known.push_back(one.path);
    throw UsageError(unknown_name_message("table", path, known));
  }
  std::string text;
  const std::string changed = path == "/results" ? what_if_of(content) : "";
  const auto line = [&](const std::string& what_if, auto&& cell_of) {
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      text += (i == 0 ? "" : ",") + cell_of(table->columns[i]);
    }
    text += (changed.empty() ? "" : "," + csv_quoted(what_if)) + "\r\n";
  };
  line("what_if", [](const Column& column) { return csv_quoted(column.name); });
  for (std::size_t row = 0; row < table->rows(); ++row) {
    line(changed, [&](const Column& column) { return cell(*table, column, row); });
  }
  return text;
}

}  // namespace fabricast
