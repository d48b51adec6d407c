#include "emulator/validate/published_tables.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr std::size_t max_csv_bytes = 64 << 20;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw IoError(
        fmt::format("cannot read {} (missing or not readable) check the directory", path.string()));
  }
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() > max_csv_bytes) {
    throw IoError(fmt::format("{} is too large (over 64 MiB) is it a table?", path.string()));
  }
  return text;
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

class CsvReader {
 public:
  explicit CsvReader(const std::string& text) : text_(text) {}

  std::vector<std::vector<std::string>> rows() {
    std::vector<std::vector<std::string>> rows;
    while (at_ < text_.size()) {
      std::vector<std::string> row{field()};
      while (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        row.push_back(field());
      }
      while (at_ < text_.size() && (text_[at_] == '\r' || text_[at_] == '\n')) ++at_;
      if (row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  std::string field() {
    std::string value;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        if (quoted && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          value += '"';
          ++at_;
        } else {
          quoted = !quoted;
        }
      } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
        break;
      } else {
        value += c;
      }
    }
    return value;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

using Columns = std::map<std::string, std::size_t>;

Columns columns_of(const std::vector<std::string>& header) {
  Columns columns;
  for (std::size_t i = 0; i < header.size(); ++i) columns.emplace(header[i], i);
  return columns;
}

std::optional<double> cell(const std::vector<std::string>& row, const Columns& columns,
                           const std::string& name) {
  const auto found = columns.find(name);
  if (found == columns.end() || found->second >= row.size()) return std::nullopt;
  return number(row[found->second]);
}

// The time as printed, or from the bus bandwidth where only that was printed.
std::optional<double> time_of(const std::vector<std::string>& row, const Columns& columns,
                              const std::string& prefix, double bytes, double factor) {
  if (const auto time = cell(row, columns, prefix + "time_us"); time && *time > 0) return time;
  if (const auto rate = cell(row, columns, prefix + "busbw_gbps"); rate && *rate > 0) {
    return bytes * factor / (*rate * 1e3);
  }
  return std::nullopt;
}

void read_points(const std::filesystem::path& path, PublishedTable& table) {
  const auto rows = read_csv(path);
  if (rows.empty()) return;
  const Columns columns = columns_of(rows[0]);
  const double factor = busbw_factor(table.collective, table.ranks);
  std::map<double, double> times;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto bytes = cell(rows[i], columns, "size_bytes");
    bool timed = false;
    for (const char* prefix : {"", "inplace_"}) {
      if (!bytes || *bytes <= 0) continue;
      const auto time = time_of(rows[i], columns, prefix, *bytes, factor);
      if (!time) continue;
      timed = true;
      const auto [place, fresh] = times.emplace(*bytes, *time);
      if (!fresh) place->second = std::min(place->second, *time);
    }
    if (!timed) ++table.untimed_rows;
  }
  for (const auto& [bytes, time] : times) table.points.push_back({bytes, time});
}

int whole(const PublishedTable& table, const std::string& name) {
  const auto value = number(table.column(name));
  return value && *value >= 1 && *value <= 1e7 ? static_cast<int>(*value) : 0;
}

void read_table(const std::filesystem::path& directory, PublishedTable& table) {
  table.ranks = whole(table, "gpus_total");
  table.nodes = whole(table, "nodes");
  if (table.ranks == 0 || table.nodes == 0) {
    table.problem = "gpus_total or nodes is no number of 1 or more";
    return;
  }
  try {
    table.collective = collective_from_name(table.column("collective"));
  } catch (const UsageError&) {
    table.problem = "collective " + table.column("collective") + " is not known";
    return;
  }
  try {
    read_points(directory / table.column("file"), table);
  } catch (const IoError& error) {
    table.problem = error.what();
    return;
  }
  if (table.points.empty()) table.problem = "the table has no row with a size and a time";
}

}  // namespace

const std::string& PublishedTable::column(const std::string& name) const {
  static const std::string absent;
  const auto found = row.find(name);
  return found == row.end() ? absent : found->second;
}

std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  return CsvReader(text).rows();
}

std::vector<PublishedTable> read_published_tables(const std::filesystem::path& directory) {
  const std::filesystem::path index = directory / "index.csv";
  const auto rows = read_csv(index);
  if (rows.empty()) {
    throw UsageError(fmt::format("{} is empty (no header) name a directory of published tables",
                                 index.string()));
  }
  const Columns columns = columns_of(rows[0]);
  for (const char* name : {"file", "system", "gpu", "gpus_total", "nodes", "collective"}) {
    if (!columns.contains(name)) {
      throw UsageError(fmt::format(
          "{}:1: no column {} (it says which machine a table is of) add it", index.string(), name));
    }
  }
  std::vector<PublishedTable> tables;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    PublishedTable table;
    for (const auto& [name, at] : columns) {
      table.row[name] = at < rows[i].size() ? rows[i][at] : std::string();
    }
    read_table(directory, table);
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace fabricast
