#include "topologies/import/infragraph_slice.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace fabricast {

InfraSlice read_infra_slice(const YamlCursor& at, const std::string& text,
                            const FindInfraName& find) {
  const std::size_t open = std::min(text.find('['), text.size());
  const std::string name = text.substr(0, open);
  const auto [index, count] = find(at, name);
  if (count == 0) at.fail(fmt::format("there are no {}s (count: 0)", name));
  if (open == text.size()) return {index, 0, count, 1};
  std::array<std::int32_t, 3> numbers{0, count, 1};
  std::size_t n = 0;
  const char *next = text.data() + open + 1, *last = text.data() + text.size();
  bool single = true, good = text.back() == ']';
  while (good && n < 3) {
    const auto [stop, problem] = std::from_chars(next, last, numbers[n]);
    if (problem != std::errc() && stop != next) good = false;
    next = problem == std::errc() ? stop : next;
    ++n;
    if (*next == ']') break;
    good = good && *next == ':';
    single = false;
    ++next;
  }
  good = good && next == last - 1 && text.size() > open + 2;
  const InfraSlice slice{index, numbers[0],
                         single ? numbers[0] + (numbers[0] < count ? 1 : 0) : numbers[1],
                         numbers[2]};
  if (!good || slice.first < 0 || slice.end > count || slice.first >= slice.end || slice.step < 1) {
    at.fail(fmt::format("\"{}\" is no slice of {} {}s; write {}[0:{}]", text, count, name, name,
                        count));
  }
  return slice;
}

}  // namespace fabricast
