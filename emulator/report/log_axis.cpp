#include "emulator/report/log_axis.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/report/result_rows.hpp"

namespace fabricast {

LogAxis::LogAxis(double low, double high, double from, double to)
    : low_(low), high_(high), from_(from), to_(to) {
  FABRICAST_EXPECT(0 < low && low < high, "a log axis spans positive values");
}

double LogAxis::position(double value) const {
  return from_ + (to_ - from_) * std::log(value / low_) / std::log(high_ / low_);
}

std::vector<Tick> LogAxis::size_ticks(double gap) const {
  std::vector<double> values;
  for (const double base : {1024.0, 32.0, 4.0, 2.0}) {
    values = {low_, high_};  // labels are given out in this order
    for (double power = 1; power < high_; power *= base) {
      if (power > low_) values.push_back(power);
    }
    if (values.size() >= 4) break;
  }
  std::vector<Tick> ticks;
  for (const double value : values) {
    const bool room = std::all_of(ticks.begin(), ticks.end(), [&](const Tick& other) {
      return other.label.empty() || std::abs(position(value) - position(other.value)) >= gap;
    });
    ticks.push_back({value, room ? size_text(static_cast<std::int64_t>(value)) : ""});
  }
  std::sort(ticks.begin(), ticks.end(),
            [](const Tick& a, const Tick& b) { return a.value < b.value; });
  return ticks;
}

std::vector<Tick> LogAxis::decade_ticks(double gap) const {
  const double decade = std::abs(to_ - from_) / std::log10(high_ / low_);
  const int every = std::max(1, static_cast<int>(std::ceil(gap / decade)));
  std::vector<Tick> ticks;
  const int first = static_cast<int>(std::ceil(std::log10(low_) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
  for (int exponent = first; exponent <= last; ++exponent) {
    const double value = std::pow(10.0, exponent);
    std::string label;
    if (exponent % every == 0) {
      label = exponent < -3 ? fmt::format("1e{}", exponent)
                            : fmt::format("{:.{}f}", value, std::max(0, -exponent));
    }
    ticks.push_back({value, label});
  }
  return ticks;
}

}  // namespace fabricast
