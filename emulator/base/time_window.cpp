#include "emulator/base/time_window.hpp"

#include <fmt/format.h>

#include <cmath>

#include "emulator/base/error.hpp"
#include "emulator/base/scaled_number.hpp"

namespace fabricast {
namespace {

std::int64_t end_of_window(std::string_view text) {
  const double ps = parse_scaled(text, Dimension::duration, "ps");
  constexpr double most = 9e18;  // int64 picoseconds: 104 days
  if (ps < 0 || ps > most) {
    throw UsageError(
        fmt::format("\"{}\" is no time of a run (0 s to 104 days) choose another one", text));
  }
  return std::llround(ps);
}

}  // namespace

TimeWindow parse_time_window(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.size() == 1) {
    throw UsageError(fmt::format(
        "\"{}\" is no window of time (it has the form FROM:TO, e.g. 10us:20us, 10us: or :20us)",
        text));
  }
  TimeWindow window;
  if (colon > 0) window.from_ps = end_of_window(text.substr(0, colon));
  if (colon + 1 < text.size()) window.to_ps = end_of_window(text.substr(colon + 1));
  if (window.to_ps <= window.from_ps) {
    throw UsageError(
        fmt::format("nothing lies in the window of time \"{}\" (it ends before it begins) give "
                    "FROM:TO in this order",
                    text));
  }
  return window;
}

std::string to_string(const TimeWindow& window) {
  return fmt::format("{}ps:{}", window.from_ps,
                     window.to_ps == TimeWindow::no_end ? "" : fmt::format("{}ps", window.to_ps));
}

}  // namespace fabricast
