#include "tests/property/content_mutation.hpp"

#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/property/draws.hpp"

namespace fabricast {
namespace {

std::int64_t edge(std::int64_t old, Draws& draws) {
  const std::array<std::int64_t, 10> edges{0,
                                           -1,
                                           1,
                                           INT64_MAX,
                                           INT64_MIN + 1,
                                           std::int64_t{1} << 31,
                                           std::int64_t{1} << 32,
                                           old + 1,
                                           old * -1,
                                           1'000'000};
  return edges[draws.below(edges.size())];
}
double edge(double old, Draws& draws) {
  const std::array<double, 9> edges{0.0, -0.0, -1.0, 1e308, -1e308, 5e-324, old * 2, -old, 1.0};
  return edges[draws.below(edges.size())];
}
std::string edge(const std::string& old, Draws& draws) {
  const std::array<std::string, 8> edges{"",
                                         " ",
                                         "{}%s%n",
                                         std::string(5000, 'x'),
                                         old + old,
                                         "\"',;\n\t<&>",
                                         "\xF0\x9F\x92\xA9",
                                         "/../../"};
  return edges[draws.below(edges.size())];
}

void edit_value(Column& column, Draws& draws) {
  std::visit(
      [&](auto& values) {
        if (values.empty()) return;
        auto& value = values[draws.below(values.size())];
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, Column::Codes>) {
          value = static_cast<std::uint8_t>(draws.below(column.flag_meanings.size() + 1));
        } else {
          value = edge(value, draws);
        }
      },
      column.values);
}

// The column under the same name, of another type.
void edit_type(Column& column, Draws& draws) {
  const std::size_t rows = column.size();
  column.flag_meanings.clear();
  switch (draws.below(3)) {
    case 0:
      column.values = Column::Integers(rows, 1);
      break;
    case 1:
      column.values = Column::Reals(rows, 0.5);
      break;
    default:
      column.values = Column::Texts(rows, "1");
      break;
  }
}

void keep_rows(Table& table, std::size_t rows) {
  for (Column& column : table.columns) {
    std::visit([&](auto& values) { values.resize(rows); }, column.values);
  }
}

void repeat_row(Table& table, std::size_t row) {
  for (Column& column : table.columns) {
    std::visit(
        [&](auto& values) {
          const auto value = values[row];
          values.push_back(value);
        },
        column.values);
  }
}

void edit_document(TraceContent& content, Draws& draws) {
  if (content.documents.empty()) return;
  const auto entry = std::next(content.documents.begin(),
                               static_cast<std::ptrdiff_t>(draws.below(content.documents.size())));
  if (draws.below(2) == 0) {
    content.documents.erase(entry);
  } else {
    entry->second = edge(entry->second, draws);
  }
}

void edit(TraceContent& content, Draws& draws) {
  if (content.tables.empty()) return;
  const std::size_t which = draws.below(content.tables.size());
  Table& table = content.tables[which];
  if (table.columns.empty()) return;
  const std::size_t place = draws.below(table.columns.size());
  Column& column = table.columns[place];
  switch (draws.below(12)) {
    case 0:
      edit_type(column, draws);
      break;
    case 1:
      table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(place));
      break;
    case 2:
      content.tables.erase(content.tables.begin() + static_cast<std::ptrdiff_t>(which));
      break;
    case 3:
      keep_rows(table, draws.below(table.rows() + 1));
      break;
    case 4:
      if (table.rows() > 0) repeat_row(table, draws.below(table.rows()));
      break;
    case 5:
      edit_document(content, draws);
      break;
    case 6:
      std::swap(column.units, column.long_name);
      break;
    default:
      edit_value(column, draws);
      break;
  }
}

}  // namespace

TraceContent mutated_content(TraceContent content, std::uint64_t seed, std::uint64_t number) {
  Draws draws(seed, number);
  for (std::size_t left = 1 + draws.below(4); left > 0; --left) edit(content, draws);
  return content;
}

}  // namespace fabricast
