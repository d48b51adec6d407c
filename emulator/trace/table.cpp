#include "emulator/trace/table.hpp"

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

template <class Values>
const Values& typed(const Table& table, std::string_view name, const char* type) {
  const Column* column = table.find(name);
  if (column == nullptr) {
    throw CheckError(
        fmt::format("no column {}/{} in the trace (an older or foreign writer) run "
                    "`fabricast report --check` on it",
                    table.path, name));
  }
  const Values* values = std::get_if<Values>(&column->values);
  if (values == nullptr) {
    throw CheckError(
        fmt::format("column {}/{} is not of type {} (an older or foreign writer) run "
                    "`fabricast report --check` on it",
                    table.path, name, type));
  }
  return *values;
}

}  // namespace

std::size_t Column::size() const {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

const Column* Table::find(std::string_view name) const {
  for (const Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

const Column::Integers& Table::integers(std::string_view name) const {
  return typed<Column::Integers>(*this, name, "int64");
}

const Column::Reals& Table::reals(std::string_view name) const {
  return typed<Column::Reals>(*this, name, "float64");
}

const Column::Texts& Table::texts(std::string_view name) const {
  return typed<Column::Texts>(*this, name, "text");
}

std::string Table::meaning(std::string_view name, std::size_t row) const {
  const auto& codes = typed<Column::Codes>(*this, name, "code");
  const Column& column = *find(name);
  if (row >= codes.size() || codes[row] >= column.flag_meanings.size()) {
    throw CheckError(
        fmt::format("{}/{} row {} has no meaning (row or code out of range) the trace "
                    "is damaged",
                    path, name, row));
  }
  return column.flag_meanings[codes[row]];
}

const Table* TraceContent::find(std::string_view path) const {
  for (const Table& table : tables) {
    if (table.path == path) return &table;
  }
  return nullptr;
}

const Table& TraceContent::at(std::string_view path) const {
  if (const Table* table = find(path)) return *table;
  std::string known;
  for (const Table& table : tables) known += (known.empty() ? "" : ", ") + table.path;
  throw CheckError(fmt::format("no table {} in the trace (it holds: {})", path,
                               known.empty() ? "no table" : known));
}

}  // namespace fabricast
