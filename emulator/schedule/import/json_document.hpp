// JSON with the line of every object, for messages; keys may not repeat.
//
// The line is kept inside each object under `line_key`, which no file can contain (it begins with
// a control character). O(text). Pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace fabricast {

using Json = nlohmann::json;

// UsageError "file:line: ..." if `text` is no JSON object.
Json parse_json(std::string_view text, const std::string& file);

// Access with messages that name the file and the line of the object.
class JsonReader {
 public:
  explicit JsonReader(const std::string& file) : file_(file) {}

  static std::int32_t line_of(const Json& object);
  [[noreturn]] void fail(const Json& object, const std::string& problem) const;

  const Json& member(const Json& object, const char* name) const;
  // Null if absent.
  const Json* find(const Json& object, const char* name) const;
  const Json& array(const Json& object, const char* name) const;
  // An empty array if absent.
  const Json& array_or_none(const Json& object, const char* name) const;
  // Every element must be an object.
  const Json& objects(const Json& object, const char* name) const;
  std::string text(const Json& object, const char* name) const;
  std::int64_t integer(const Json& object, const char* name, std::int64_t lowest,
                       std::int64_t highest) const;
  // An element of an array inside `object`.
  std::int64_t integer_in(const Json& object, const Json& value, const char* name,
                          std::int64_t lowest, std::int64_t highest) const;
  bool boolean(const Json& object, const char* name) const;

 private:
  const std::string& file_;
};

}  // namespace fabricast
