#include "emulator/report/result_rows.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

void read_texts(const Table& table, std::vector<ResultRow>& rows) {
  const std::array<std::pair<const char*, std::string ResultRow::*>, 10> fields{{
      {"machine", &ResultRow::machine},
      {"executor", &ResultRow::executor},
      {"collective", &ResultRow::collective},
      {"algorithm", &ResultRow::algorithm},
      {"protocol", &ResultRow::protocol},
      {"dtype", &ResultRow::dtype},
      {"redop", &ResultRow::redop},
      {"interval", &ResultRow::interval},
      {"limiting_term", &ResultRow::limiting_term},
      {"engine", &ResultRow::engine},
  }};
  for (const auto& [name, field] : fields) {
    const auto& values = table.texts(name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = values[i];
  }
}

void read_numbers(const Table& table, std::vector<ResultRow>& rows) {
  const std::array<std::pair<const char*, std::int64_t ResultRow::*>, 4> integers{{
      {"channels", &ResultRow::channels},
      {"ranks", &ResultRow::ranks},
      {"bytes", &ResultRow::bytes},
      {"time_ps", &ResultRow::time_ps},
  }};
  for (const auto& [name, field] : integers) {
    const auto& values = table.integers(name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = values[i];
  }
  const std::array<std::pair<const char*, double ResultRow::*>, 9> reals{{
      {"time_us", &ResultRow::time_us},
      {"algbw_gbps", &ResultRow::algbw_gbps},
      {"busbw_gbps", &ResultRow::busbw_gbps},
      {"low_us", &ResultRow::low_us},
      {"high_us", &ResultRow::high_us},
      {"evidence_ranks_ratio", &ResultRow::evidence_ranks_ratio},
      {"evidence_bytes_ratio", &ResultRow::evidence_bytes_ratio},
      {"measured_share", &ResultRow::measured_share},
      {"bound_us", &ResultRow::bound_us},
  }};
  for (const auto& [name, field] : reals) {
    const auto& values = table.reals(name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = values[i];
  }
}

void require_known(const char* what, const std::string& wanted, const std::vector<ResultRow>& rows,
                   std::string ResultRow::*field) {
  if (wanted.empty()) return;
  std::set<std::string> names;
  for (const ResultRow& row : rows) names.insert(row.*field);
  if (names.contains(wanted)) return;
  const std::vector<std::string> known(names.begin(), names.end());
  throw UsageError(unknown_name_message(what, wanted, known) + " (in this trace)");
}

}  // namespace

std::vector<ResultRow> result_rows(const TraceContent& content, const ResultFilter& filter) {
  const Table& table = content.at("/results");
  std::vector<ResultRow> rows(table.rows());
  read_texts(table, rows);
  read_numbers(table, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].row = static_cast<std::int64_t>(i);
    rows[i].label = table.meaning("label", i);
  }
  require_known("collective", filter.collective, rows, &ResultRow::collective);
  require_known("machine", filter.machine, rows, &ResultRow::machine);
  require_known("algorithm", filter.algorithm, rows, &ResultRow::algorithm);
  std::erase_if(rows, [&](const ResultRow& row) {
    return (!filter.collective.empty() && row.collective != filter.collective) ||
           (!filter.machine.empty() && row.machine != filter.machine) ||
           (!filter.algorithm.empty() && row.algorithm != filter.algorithm);
  });
  return rows;
}

std::vector<ResultRow> fastest_rows(const std::vector<ResultRow>& rows) {
  const auto group = [](const ResultRow& r) {
    return std::tie(r.machine, r.executor, r.collective, r.ranks);
  };
  std::set<std::tuple<std::string, std::string, std::string, std::int64_t>> predicted;
  for (const ResultRow& row : rows) {
    if (!row.measured()) predicted.insert(group(row));
  }
  std::map<std::tuple<std::string, std::string, std::string, std::int64_t, std::int64_t>,
           std::size_t>
      place;
  std::vector<ResultRow> fastest;
  for (const ResultRow& row : rows) {
    if (row.measured() && predicted.contains(group(row))) continue;
    const auto [entry, fresh] =
        place.try_emplace(std::tuple_cat(group(row), std::tie(row.bytes)), fastest.size());
    if (fresh) {
      fastest.push_back(row);
    } else if (row.time_ps < fastest[entry->second].time_ps) {
      fastest[entry->second] = row;
    }
  }
  return fastest;
}

int root_of(const ResultRow& row) { return row.collective == "broadcast" ? 0 : -1; }

std::string type_name(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> names{
      {{"float32", "float"}, {"float64", "double"}, {"float16", "half"}}};
  for (const auto& [ours, theirs] : names) {
    if (dtype == ours) return std::string(theirs);
  }
  return std::string(dtype);
}

std::int64_t bytes_per_element(std::string_view dtype) {
  if (dtype == "half") return 2;
  if (dtype == "float") return 4;
  if (dtype == "double") return 8;
  // int8, uint32, bfloat16, float8_e4m3 ...: the digits are bits.
  std::int64_t bits = 0;
  for (std::size_t i = dtype.find_first_of("0123456789");
       i < dtype.size() && dtype[i] >= '0' && dtype[i] <= '9' && bits <= 64; ++i) {
    bits = bits * 10 + (dtype[i] - '0');
  }
  return std::max<std::int64_t>(1, bits / 8);
}

std::int64_t count_of(const ResultRow& row) {
  const std::int64_t elements = row.bytes / bytes_per_element(row.dtype);
  const bool blocks = row.collective == "all_gather" || row.collective == "reduce_scatter" ||
                      row.collective == "all_to_all";
  return blocks ? elements / std::max<std::int64_t>(1, row.ranks) : elements;
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", value, units[unit]);
}

}  // namespace fabricast
