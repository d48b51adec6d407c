#include "emulator/trace/table_rows.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/schema.hpp"

namespace fabricast {
namespace {

[[noreturn]] void misuse(const Table& table, std::string_view column, std::string_view what) {
  throw CheckError(
      fmt::format("cannot fill {}/{} ({}) this is a bug of its writer, please report "
                  "it",
                  table.path, column, what));
}

}  // namespace

TableRows::TableRows(std::string_view path) : table_(empty_table(path)) {}

Column& TableRows::next(std::string_view column) {
  for (Column& candidate : table_.columns) {
    if (candidate.name != column) continue;
    if (candidate.size() != rows_) misuse(table_, column, "set twice in one row");
    return candidate;
  }
  misuse(table_, column, "the schema has no such column");
}

void TableRows::put_integer(std::string_view column, std::int64_t value) {
  Column& target = next(column);
  if (auto* integers = std::get_if<Column::Integers>(&target.values)) {
    integers->push_back(value);
  } else if (auto* reals = std::get_if<Column::Reals>(&target.values)) {
    reals->push_back(static_cast<double>(value));
  } else {
    misuse(table_, column, "an integer for a text or code column");
  }
}

void TableRows::put_real(std::string_view column, double value) {
  auto* reals = std::get_if<Column::Reals>(&next(column).values);
  if (reals == nullptr) misuse(table_, column, "a real for a column that is not float64");
  reals->push_back(value);
}

void TableRows::put_text(std::string_view column, std::string_view value) {
  Column& target = next(column);
  if (auto* texts = std::get_if<Column::Texts>(&target.values)) {
    texts->emplace_back(value);
    return;
  }
  auto* codes = std::get_if<Column::Codes>(&target.values);
  if (codes == nullptr) misuse(table_, column, "text for a numeric column");
  const auto& meanings = target.flag_meanings;
  const auto found = std::find(meanings.begin(), meanings.end(), value);
  if (found == meanings.end()) misuse(table_, column, fmt::format("no meaning \"{}\"", value));
  codes->push_back(static_cast<std::uint8_t>(found - meanings.begin()));
}

void TableRows::end_row() {
  ++rows_;
  for (const Column& column : table_.columns) {
    if (column.size() != rows_) misuse(table_, column.name, "not set in this row");
  }
}

Table TableRows::take() { return std::move(table_); }

}  // namespace fabricast
