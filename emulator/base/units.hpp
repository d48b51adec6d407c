// Deliberately weak units: a tag and an integer, no unit algebra.
//
// Simulated time is int64 picoseconds (106 days of range). Bandwidth is int64 bytes per second,
// decimal: 900 GB/s is 900'000'000'000. Durations from a bandwidth are computed in 128 bits and
// rounded up, so that a modeled time is never below the physical bound.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace fabricast {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::int64_t value) : value_(value) {}
  constexpr std::int64_t value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, std::int64_t k) { return Quantity(a.value_ * k); }
  static constexpr Quantity max() { return Quantity(std::numeric_limits<std::int64_t>::max()); }

 private:
  std::int64_t value_ = 0;
};

using Bytes = Quantity<struct BytesTag>;
using SimDuration = Quantity<struct SimDurationTag>;  // picoseconds
using SimTime = Quantity<struct SimTimeTag>;          // picoseconds since the start of the run
using Bandwidth = Quantity<struct BandwidthTag>;      // bytes per second

inline constexpr double bytes_per_mib = 1024.0 * 1024.0;
inline constexpr std::int64_t ps_per_ns = 1'000;
inline constexpr std::int64_t ps_per_us = 1'000'000;
inline constexpr double bytes_per_gb = 1e9;
inline constexpr std::int64_t ps_per_s = 1'000'000'000'000;

constexpr double to_us(SimDuration d) { return static_cast<double>(d.value()) / 1e6; }
constexpr double to_seconds(SimDuration d) { return static_cast<double>(d.value()) / 1e12; }
constexpr double to_gb_per_s(Bandwidth b) { return static_cast<double>(b.value()) / 1e9; }

// ceil(bytes / bandwidth) in picoseconds. Expects bandwidth > 0; saturates at SimDuration::max().
SimDuration transfer_time(Bytes bytes, Bandwidth bandwidth);

// ceil(us * 1e6) picoseconds of a non-negative, finite number of microseconds.
SimDuration duration_from_us(double us);

}  // namespace fabricast
