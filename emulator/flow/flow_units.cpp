#include "emulator/flow/flow_units.hpp"

#include <algorithm>

namespace fabricast {

FlowRate flow_rate(Bandwidth bandwidth) {
  const FlowAmount scaled = flow_amount(std::max<std::int64_t>(bandwidth.value(), 0)) / ps_per_s;
  return scaled > unlimited_rate ? unlimited_rate : static_cast<FlowRate>(scaled);
}

double bytes_per_second(FlowRate rate) {
  return static_cast<double>(rate) *
         (static_cast<double>(ps_per_s) / static_cast<double>(std::int64_t{1} << flow_rate_bits));
}

std::int64_t time_to_move(FlowAmount amount, FlowRate rate) {
  if (amount <= 0) return 0;
  if (rate <= 0) return never_ps;
  const double estimate = static_cast<double>(amount) / static_cast<double>(rate);
  if (estimate > 0x1p62) return never_ps;
  // Up to 2^50 the estimate is off by at most one: corrected by exact products, which is a third of
  // the time of a 128-bit division.
  if (estimate > 0x1p50) return static_cast<std::int64_t>((amount + rate - 1) / rate);
  auto time = static_cast<std::int64_t>(estimate);
  while (static_cast<FlowAmount>(time) * rate < amount) ++time;
  while (static_cast<FlowAmount>(time - 1) * rate >= amount) --time;
  return time;
}

}  // namespace fabricast
