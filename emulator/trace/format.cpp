#include "emulator/trace/format.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace fabricast::format {
namespace {

// Length of the valid UTF-8 sequence at the front (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F) ||
      (first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) {
    return 0;
  }
  return length;
}

struct ColumnProblems {
  const Column& column;
  std::vector<std::string>& found;
  const std::string& where;

  void add(std::size_t row, std::string_view what) const {
    found.push_back(fmt::format("{}: row {} holds {}", where, row, what));
  }
  void operator()(const Column::Integers& values) const {
    const auto bad = std::find(values.begin(), values.end(), int64_fill);
    if (bad != values.end()) add(static_cast<std::size_t>(bad - values.begin()), "the fill value");
  }
  void operator()(const Column::Reals& values) const {
    const auto bad =
        std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
    if (bad != values.end()) add(static_cast<std::size_t>(bad - values.begin()), "NaN or infinity");
  }
  void operator()(const Column::Texts& values) const {
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [](const std::string& v) { return !valid_text(v); });
    if (bad != values.end()) {
      add(static_cast<std::size_t>(bad - values.begin()), "text that is not UTF-8 or has a NUL");
    }
  }
  void operator()(const Column::Codes& values) const {
    if (column.flag_meanings.empty() || column.flag_meanings.size() > code_fill) {
      found.push_back(fmt::format("{}: a code column needs 1 to 255 flag meanings", where));
    }
    for (const std::string& meaning : column.flag_meanings) {
      if (meaning.empty() || meaning.find_first_of(" \t\n") != std::string::npos ||
          !valid_text(meaning)) {
        found.push_back(fmt::format("{}: flag meaning \"{}\" is empty or has a space", where,
                                    made_valid(meaning)));
      }
    }
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [&](std::uint8_t v) { return v >= column.flag_meanings.size(); });
    if (bad != values.end()) {
      add(static_cast<std::size_t>(bad - values.begin()), "a code without a meaning");
    }
  }
};

void table_problems(const Table& table, std::vector<std::string>& found) {
  std::set<std::string> names;
  for (const Column& column : table.columns) {
    const std::string where = table.path + "/" + made_valid(column.name);
    if (!valid_name(column.name) || column.name == row_scale) {
      found.push_back(where + ": not a column name (snake_case, and not \"row\")");
    }
    if (!names.insert(column.name).second) found.push_back(where + ": two columns of one name");
    if (column.size() != table.rows()) {
      found.push_back(fmt::format("{}: {} rows, but the first column of {} has {}", where,
                                  column.size(), table.path, table.rows()));
    }
    if (!valid_text(column.units) || !valid_text(column.long_name) ||
        column.units.size() + column.long_name.size() > max_attribute_bytes) {
      found.push_back(where + ": units or long_name is not storable text");
    }
    std::visit(ColumnProblems{column, found, where}, column.values);
  }
  if (table.columns.size() > max_columns) found.push_back(table.path + ": too many columns");
  if (!valid_text(table.title) || table.title.size() > max_attribute_bytes)
    found.push_back(table.path + ": title is not storable text");
}

}  // namespace

std::size_t rows_per_chunk(std::size_t rows, std::size_t element_bytes) {
  const std::size_t fitting = std::max<std::size_t>(1, chunk_bytes / element_bytes);
  return std::min({chunk_rows, fitting, std::max<std::size_t>(1, rows)});
}

const std::set<std::string, std::less<>>& writer_attributes() {
  static const std::set<std::string, std::less<>> names{
      "schema", "schema_version", "created", "config_digest", "content_digest", "complete"};
  return names;
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool valid_path(std::string_view path) {
  if (path.size() < 2 || path.size() > 256 || path[0] != '/' || path.back() == '/') return false;
  if (std::count(path.begin(), path.end(), '/') > 8) return false;
  char before = ' ';
  for (const char c : path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || ((c == '.' || c == '@') && before != '/');
    if (!word && !(c == '/' && before != '/')) return false;
    before = c;
  }
  return true;
}

bool valid_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = text[i] == '\0' ? 0 : utf8_length(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string made_valid(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = text[i] == '\0' ? 0 : utf8_length(text.substr(i));
    result += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, length);
    i += std::max<std::size_t>(1, length);
  }
  return result;
}

std::string stored_attribute(std::string_view text) {
  std::string stored = made_valid(text);
  if (stored.size() <= max_attribute_bytes) return stored;
  // The cut may split a character: made_valid mends it.
  return made_valid(std::string_view(stored).substr(0, max_attribute_bytes - 8)) + "...";
}

std::vector<std::string> storage_problems(const TraceContent& content) {
  std::vector<std::string> found;
  std::set<std::string> paths{summary};
  const auto claim = [&](const std::string& path) {
    if (!valid_path(path)) found.push_back(made_valid(path) + ": not a path of a trace");
    if (!paths.insert(path).second) found.push_back(path + ": used twice");
  };
  for (const auto& [path, text] : content.documents) {
    claim(path);
    if (!valid_text(text)) found.push_back(path + ": text that is not UTF-8 or has a NUL");
  }
  for (const Table& table : content.tables) {
    claim(table.path);
    table_problems(table, found);
  }
  for (const std::string& path : paths) {  // a dataset or table cannot also be a folder
    for (const std::string& other : paths) {
      if (other.starts_with(path + "/")) found.push_back(other + ": lies inside " + path);
    }
  }
  for (const auto& attribute : content.attributes) {
    if (!valid_name(attribute.first)) {
      found.push_back(made_valid(attribute.first) + ": not an attribute name");
    }
  }
  return found;
}

}  // namespace fabricast::format
