// Rates and amounts of the flow engine: integers, so that equal inputs give equal bytes.
//
//   rate    FlowRate, bytes per 2^50 ps (2^50 ps = 1126 s): 50 GB/s is 5.6e13, 1 byte/s is 1125
//   amount  FlowAmount, 2^-50 byte in 128 bits: what a rate moves in t ps is exactly rate * t
//
// Rounding, all of it: a capacity and a share are rounded down, the end of a flow is rounded up to
// the next picosecond. Amounts are exact. So no link carries more than its capacity, and a flow
// never ends before its bytes could have arrived. Capacities up to 8 PB/s. Pure functions.
#pragma once

#include <cstdint>
#include <limits>

#include "emulator/base/units.hpp"

namespace fabricast {

using FlowRate = std::int64_t;
__extension__ using FlowAmount = __int128;

inline constexpr int flow_rate_bits = 50;
inline constexpr FlowRate unlimited_rate = std::numeric_limits<FlowRate>::max() / 4;
inline constexpr std::int64_t never_ps = std::numeric_limits<std::int64_t>::max();

// floor(bandwidth * 2^50 ps); unlimited_rate beyond what fits.
FlowRate flow_rate(Bandwidth bandwidth);
double bytes_per_second(FlowRate rate);

constexpr FlowAmount flow_amount(std::int64_t bytes) {
  return static_cast<FlowAmount>(bytes) << flow_rate_bits;
}

// ceil(amount / rate) ps for amount >= 0; never_ps when the rate is 0 and the amount is not, or
// when the time does not fit.
std::int64_t time_to_move(FlowAmount amount, FlowRate rate);

}  // namespace fabricast
