// Filling a table of the schema row by row, by column name.
//
//   TableRows rows("/links");
//   rows.set("result", 0).set("link_class", "nvlink") ... .end_row();
//   content.tables.push_back(rows.take());
//
// Invariant: end_row() insists on a value for every column, so that no row is half written.
// Not thread safe. O(columns) per value; made for thousands of rows, not for hot loops.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

class TableRows {
 public:
  // Throws CheckError when the schema has no such table.
  explicit TableRows(std::string_view path);

  // Integers go to int64 or float64 columns, reals to float64, text to text or code columns (as a
  // meaning), bool to code columns "no yes". Anything else is a bug and throws CheckError.
  template <class Value>
  TableRows& set(std::string_view column, const Value& value) {
    if constexpr (std::same_as<Value, bool>) {
      put_text(column, value ? "yes" : "no");
    } else if constexpr (std::integral<Value>) {
      put_integer(column, static_cast<std::int64_t>(value));
    } else if constexpr (std::floating_point<Value>) {
      put_real(column, static_cast<double>(value));
    } else {
      put_text(column, std::string_view(value));
    }
    return *this;
  }

  void end_row();
  std::size_t rows() const { return rows_; }
  Table take();

 private:
  Column& next(std::string_view column);
  void put_integer(std::string_view column, std::int64_t value);
  void put_real(std::string_view column, double value);
  void put_text(std::string_view column, std::string_view value);

  Table table_;
  std::size_t rows_ = 0;
};

}  // namespace fabricast
