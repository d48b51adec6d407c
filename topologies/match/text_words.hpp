// What the columns of an index are searched for.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace fabricast {

inline std::string in_lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

inline bool contains_text(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

}  // namespace fabricast
