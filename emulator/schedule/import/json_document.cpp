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

// Builds the document with nlohmann's own builder and sees to depth, keys and lines on the way.
// (Its parser callback would do, but walks over the whole parent at the end of every value.)
class LineBuilder {
 public:
  LineBuilder(std::string_view text, const std::string& file, const std::int32_t& line, Json& root)
      : text_(text), file_(file), line_(line), build_(root) {}

  bool null() { return build_.null(); }
  bool boolean(bool value) { return build_.boolean(value); }
  bool number_integer(Json::number_integer_t value) { return build_.number_integer(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return build_.number_unsigned(value); }
  bool number_float(Json::number_float_t value, const std::string& text) {
    return build_.number_float(value, text);
  }
  bool string(std::string& value) { return build_.string(value); }
  bool binary(Json::binary_t& value) { return build_.binary(value); }
  bool start_array(std::size_t elements) {
    deeper();
    return build_.start_array(elements);
  }
  bool end_array() {
    --depth_;
    return build_.end_array();
  }
  bool start_object(std::size_t elements) {
    deeper();
    open_.push_back({line_, {}});
    return build_.start_object(elements);
  }
  bool key(std::string& name) {
    if (!open_.back().keys.insert(name).second) {
      refuse_file(file_, line_, fmt::format("key \"{}\" is given twice; remove one", name));
    }
    return build_.key(name);
  }
  bool end_object() {
    std::string name = line_key;
    build_.key(name);
    build_.number_integer(open_.back().line);
    open_.pop_back();
    --depth_;
    return build_.end_object();
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception&) {
    refuse_file(file_, LineNumbers(text_).line_at(static_cast<std::ptrdiff_t>(byte) - 1),
                "not valid JSON; is the file complete?");
  }

 private:
  void deeper() {
    if (++depth_ > max_depth) {
      refuse_file(file_, line_, fmt::format("nested deeper than {} levels", max_depth));
    }
  }

  struct Open {
    std::int32_t line;
    std::set<std::string> keys;
  };
  std::string_view text_;
  const std::string& file_;
  const std::int32_t& line_;
  nlohmann::detail::json_sax_dom_parser<Json> build_;
  std::vector<Open> open_;
  int depth_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& file) {
  require_text(text, file);
  std::int32_t line = 1;
  Json document;
  LineBuilder builder(text, file, line, document);
  try {
    Json::sax_parse(CountingIterator(text.data(), &line),
                    CountingIterator(text.data() + text.size(), &line), &builder);
  } catch (const Json::exception&) {
    refuse_file(file, line, "not valid JSON; is the file complete?");  // a number beyond all types
  }
  if (!document.is_object()) refuse_file(file, 1, "the outermost value is no object {...}");
  return document;
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
