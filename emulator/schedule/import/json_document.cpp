#include "emulator/schedule/import/json_document.hpp"

#include <cstddef>
#include <iterator>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/text_file.hpp"
#include "emulator/schedule/import/file_program.hpp"
#include "emulator/schedule/import/line_numbers.hpp"

namespace fabricast {
namespace {

constexpr const char* line_key = "\x01line";
constexpr int max_depth = 64;

// Counts the lines that the parser has read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::int32_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::int32_t* line_;
};

struct Open {
  std::int32_t line;
  std::set<std::string> keys;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& file) {
  require_text(text, file);
  std::int32_t line = 1;
  std::vector<Open> open;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > max_depth) {
      refuse_file(file, line, fmt::format("nested deeper than {} levels", max_depth));
    }
    if (event == Event::object_start) open.push_back({line, {}});
    if (event == Event::key && !open.back().keys.insert(parsed.get<std::string>()).second) {
      refuse_file(file, line,
                  fmt::format("key \"{}\" is given twice; remove one", parsed.get<std::string>()));
    }
    if (event == Event::object_end) {
      parsed[line_key] = open.back().line;
      open.pop_back();
    }
    return true;
  };
  try {
    Json document = Json::parse(CountingIterator(text.data(), &line),
                                CountingIterator(text.data() + text.size(), &line), watch);
    if (!document.is_object()) refuse_file(file, 1, "the outermost value is no object {...}");
    return document;
  } catch (const Json::exception& error) {
    const auto* parse = dynamic_cast<const Json::parse_error*>(&error);
    const auto at = parse == nullptr ? 0 : static_cast<std::ptrdiff_t>(parse->byte) - 1;
    refuse_file(file, LineNumbers(text).line_at(at), "not valid JSON; is the file complete?");
  }
}

std::int32_t JsonReader::line_of(const Json& object) {
  const auto line = object.find(line_key);
  return line == object.end() ? 1 : line->get<std::int32_t>();
}

void JsonReader::fail(const Json& object, const std::string& problem) const {
  refuse_file(file_, line_of(object), problem);
}

const Json* JsonReader::find(const Json& object, const char* name) const {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

const Json& JsonReader::member(const Json& object, const char* name) const {
  const Json* found = find(object, name);
  if (found == nullptr) fail(object, fmt::format("key \"{}\" is missing", name));
  return *found;
}

const Json& JsonReader::array(const Json& object, const char* name) const {
  const Json& value = member(object, name);
  if (!value.is_array()) fail(object, fmt::format("\"{}\" is no array", name));
  return value;
}

const Json& JsonReader::array_or_none(const Json& object, const char* name) const {
  static const Json none = Json::array();
  return find(object, name) == nullptr ? none : array(object, name);
}

const Json& JsonReader::objects(const Json& object, const char* name) const {
  const Json& all = array_or_none(object, name);
  for (const Json& one : all) {
    if (!one.is_object())
      fail(object, fmt::format("\"{}\" holds something that is no object", name));
  }
  return all;
}

std::string JsonReader::text(const Json& object, const char* name) const {
  const Json& value = member(object, name);
  if (!value.is_string()) fail(object, fmt::format("\"{}\" is no text", name));
  return value.get<std::string>();
}

std::int64_t JsonReader::integer(const Json& object, const char* name, std::int64_t lowest,
                                 std::int64_t highest) const {
  return integer_in(object, member(object, name), name, lowest, highest);
}

std::int64_t JsonReader::integer_in(const Json& object, const Json& value, const char* name,
                                    std::int64_t lowest, std::int64_t highest) const {
  if (!value.is_number_integer()) fail(object, fmt::format("\"{}\" is no whole number", name));
  const bool huge = value.is_number_unsigned() &&
                    value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t number = huge ? INT64_MAX : value.get<std::int64_t>();
  if (number < lowest || number > highest) {
    fail(object,
         fmt::format("\"{}\": {} is out of range ({} to {})", name, value.dump(), lowest, highest));
  }
  return number;
}

bool JsonReader::boolean(const Json& object, const char* name) const {
  const Json& value = member(object, name);
  if (!value.is_boolean()) fail(object, fmt::format("\"{}\" is neither true nor false", name));
  return value.get<bool>();
}

}  // namespace fabricast
