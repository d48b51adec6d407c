// A stretch of simulated time, for filters: "10us:20us", "10us:", ":20us".
//
// Half open, [from, to), in picoseconds. Value type; pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fabricast {

struct TimeWindow {
  static constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

  std::int64_t from_ps = 0;
  std::int64_t to_ps = no_end;

  // Does something that lasts [start, end) happen in it? What takes no time happens at its start.
  bool overlaps(std::int64_t start_ps, std::int64_t end_ps) const {
    return start_ps < to_ps && (end_ps > from_ps || start_ps >= from_ps);
  }
  bool is_everything() const { return from_ps == 0 && to_ps == no_end; }
  bool operator==(const TimeWindow&) const = default;
};

// Both ends with their unit (ps, ns, us, ms, s); one of them may be left out. Throws UsageError
// when an end is negative, has no unit, or nothing lies between the two.
TimeWindow parse_time_window(std::string_view text);

// In picoseconds, as parse_time_window reads it: "10000000ps:20000000ps".
std::string to_string(const TimeWindow& window);

}  // namespace fabricast
