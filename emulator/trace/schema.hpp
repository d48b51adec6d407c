// The tables of a trace as data: names, types, units and meanings of their columns.
//
// docs/trace-format.md is the normative text; a test compares the two. Extra columns and tables are
// allowed (minor versions only add). Const data, O(columns).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "emulator/trace/table.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

enum class ColumnType : std::uint8_t { integer, real, text, code };
std::string_view to_string(ColumnType type);  // "int64", "float64", "text", "code"

struct ColumnRule {
  std::string_view name;
  ColumnType type;
  std::string_view units;  // "by_row": the unit is a column of the same table
  std::string_view long_name;
  // Codes: the flag meanings in order. Text: the only values allowed; empty means any.
  std::vector<std::string_view> values = {};
  bool later = false;  // always written, but not in all files of version 1: it may be missing
};

struct TableRule {
  std::string_view path;
  std::string_view title;
  std::vector<ColumnRule> columns;
  // What must be there too when this table is; of /results only when a row of it was predicted.
  std::vector<std::string_view> needs = {};
};

std::span<const TableRule> trace_schema();
const TableRule* find_rule(std::string_view path);

// An empty table with every required column, ready to be filled. Throws CheckError on an unknown
// path (a bug of the caller).
Table empty_table(std::string_view path);

// Presence, types, units and meanings against the schema, and references between tables.
std::vector<TraceProblem> schema_problems(const TraceContent& content);

}  // namespace fabricast
