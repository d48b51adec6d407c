// What a trace holds, in memory: named tables of columns, documents and root attributes.
//
// The trace layer knows nothing of what the tables mean; docs/trace-format.md names them.
// A column's values are one of int64, double, text, or a code (uint8 with flag meanings, CF style).
// Invariants: all columns of a table have the same length. Value types, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fabricast {

// Fill values that cannot be data (DESIGN: unwritten chunks must not look like results).
inline constexpr std::int64_t int64_fill = INT64_MIN;

struct Column {
  using Integers = std::vector<std::int64_t>;
  using Reals = std::vector<double>;
  using Texts = std::vector<std::string>;   // stored fixed-length UTF-8
  using Codes = std::vector<std::uint8_t>;  // index into flag_meanings

  std::string name;       // snake_case with the unit last, e.g. time_us
  std::string units;      // "us", "GB/s", "1", "" for text
  std::string long_name;  // one sentence for people
  std::variant<Integers, Reals, Texts, Codes> values;
  std::vector<std::string> flag_meanings;  // for codes only

  std::size_t size() const;
};

struct Table {
  std::string path;   // absolute HDF5 group, e.g. "/results"
  std::string title;  // one sentence
  std::vector<Column> columns;

  std::size_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  const Column* find(std::string_view name) const;
  // Typed access; throws CheckError naming table and column when absent or of another type.
  const Column::Integers& integers(std::string_view name) const;
  const Column::Reals& reals(std::string_view name) const;
  const Column::Texts& texts(std::string_view name) const;
  // Text of a code column, row by row.
  std::string meaning(std::string_view name, std::size_t row) const;
  void add(Column column) { columns.push_back(std::move(column)); }
};

struct TraceContent {
  // Root attributes beyond those the writer adds itself (schema, schema_version, created, complete,
  // content_digest): backend, command_line, seed, software, software_versions, ...
  std::map<std::string, std::string> attributes;
  // Text documents such as "/config" (the effective scenario as YAML) and "/host".
  std::map<std::string, std::string> documents;
  std::vector<Table> tables;

  const Table* find(std::string_view path) const;
  const Table& at(std::string_view path) const;  // throws CheckError "no table /results in ..."
};

// SHA-256 hex digest over the tables and documents at or below /config /machine /profile /results
// /result_shares /timeline /steps /step_coverage /links /rank_classes /holdout: names, types, units
// and values in the canonical encoding of docs/trace-format.md. The order of tables and columns
// does not matter. Never /samples, /host, or times of day. This is what "identical" means.
std::string content_digest(const TraceContent& content);

}  // namespace fabricast
