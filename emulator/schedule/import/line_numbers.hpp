// From a byte offset of a text to its line, in O(log lines) after one pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fabricast {

class LineNumbers {
 public:
  explicit LineNumbers(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') ends_.push_back(i);
    }
  }
  // Counted from 1.
  std::int32_t line_at(std::ptrdiff_t offset) const {
    const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
    return static_cast<std::int32_t>(std::lower_bound(ends_.begin(), ends_.end(), at) -
                                     ends_.begin()) +
           1;
  }

 private:
  std::vector<std::size_t> ends_;
};

}  // namespace fabricast
