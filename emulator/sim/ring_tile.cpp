#include "emulator/sim/ring_tile.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>

namespace fabricast {
namespace {

// 2^52 + u has the integer 0 <= u < 2^52 as its mantissa, bit by bit; u = v + 2^51 for the signed
// values -2^51 <= v < 2^51 (latencies may be negative). Unlike a conversion instruction this is
// available as a vector operation everywhere.
constexpr double two_to_52 = 4503599627370496.0;
constexpr std::int64_t mantissa = (std::int64_t{1} << 52) - 1;
constexpr std::int64_t exponent = std::bit_cast<std::int64_t>(two_to_52);
constexpr std::int64_t half = std::int64_t{1} << 51;
constexpr double shifted_zero = two_to_52 + static_cast<double>(half);

template <class T>
void widen(const std::int64_t* from, std::int32_t count, T* to) {
  if constexpr (std::is_integral_v<T>) {
    std::copy(from, from + count, to);
  } else {
    for (std::int32_t i = 0; i < count; ++i) {
      to[i] = std::bit_cast<double>((from[i] + half) | exponent) - shifted_zero;
    }
  }
}

}  // namespace

template <class T>
RingTile<T>::RingTile(const RingShape& shape, std::int32_t most_columns)
    : shape_(shape),
      stride_(most_columns),
      rows_(static_cast<std::size_t>(shape.state_rows() + cost_rows) *
                static_cast<std::size_t>(most_columns),
            T{}) {}

template <class T>
void RingTile<T>::load(std::int32_t r, const std::int64_t* from, std::int32_t first,
                       std::int32_t count) {
  T* to = row(r);
  std::int32_t x = (first % shape_.columns + shape_.columns) % shape_.columns;
  while (count > 0) {
    const std::int32_t n = std::min(count, shape_.columns - x);
    widen(from + x, n, to);
    to += n;
    count -= n;
    x = 0;
  }
}

template <class T>
void RingTile<T>::store(std::int32_t r, std::int32_t begin, std::int32_t count,
                        std::int64_t* to) const {
  const T* from = rows_.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(stride_) +
                  static_cast<std::size_t>(begin);
  if constexpr (std::is_integral_v<T>) {
    std::copy(from, from + count, to);
  } else {
    for (std::int32_t i = 0; i < count; ++i) {
      to[i] = (std::bit_cast<std::int64_t>(from[i] + shifted_zero) & mantissa) - half;
    }
  }
}

template <class T>
void RingTile<T>::advance(std::int32_t columns, std::int64_t done, std::int32_t steps,
                          InstructionSet set, bool port_covers_lane) {
  const std::int32_t costs = shape_.state_rows();
  RingPass<T> pass;
  pass.lane = row(0);
  pass.port = row(1);
  pass.lane_cost = row(costs);
  pass.port_cost = row(costs + 1);
  pass.latency = row(costs + 2);
  pass.credit_cost = row(costs + 3);
  pass.columns = columns;
  const auto ready = [&](std::int32_t i) {
    return row(2 + static_cast<std::int32_t>((done + i) % shape_.in_flight));
  };
  for (std::int32_t step = 0; step < steps;) {
    const auto kernel = ring_kernel<T>(set, std::min(steps - step, shape_.slack), shape_.in_flight,
                                       port_covers_lane);
    for (std::int32_t j = 0; j < kernel.chain; ++j) {
      pass.ready_in[static_cast<std::size_t>(j)] = ready(step + j);
      pass.ready_out[static_cast<std::size_t>(j)] = ready(step + kernel.steps - kernel.chain + j);
    }
    for (std::int32_t j = 0; j < kernel.steps; ++j) {
      pass.credit[static_cast<std::size_t>(j)] =
          row(2 + shape_.in_flight + static_cast<std::int32_t>((done + step + j) % shape_.slack));
    }
    kernel.advance(pass);
    step += kernel.steps;
  }
}

template class RingTile<std::int64_t>;
template class RingTile<double>;

}  // namespace fabricast
