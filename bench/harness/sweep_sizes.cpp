#include "bench/harness/sweep_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr std::size_t max_sizes = 10'000;

void check_range(std::int64_t min_bytes, std::int64_t max_bytes) {
  if (min_bytes < 1) {
    throw UsageError(fmt::format("smallest size is {} bytes (-b must be at least 1)", min_bytes));
  }
  if (min_bytes > max_bytes) {
    throw UsageError(fmt::format(
        "smallest size {} is above the largest size {} (-b > -e): swap them or raise -e", min_bytes,
        max_bytes));
  }
}

void append(std::vector<std::int64_t>& sizes, std::int64_t bytes) {
  if (sizes.size() == max_sizes) {
    throw UsageError(fmt::format("the sweep has more than {} sizes: raise -f or -i", max_sizes));
  }
  sizes.push_back(bytes);
}

}  // namespace

std::vector<std::int64_t> sweep_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                      double factor) {
  check_range(min_bytes, max_bytes);
  if (min_bytes < max_bytes && !(factor > 1 && std::isfinite(factor))) {
    throw UsageError(fmt::format("size factor {} does not grow (-f must be above 1)", factor));
  }
  std::vector<std::int64_t> sizes;
  std::int64_t bytes = min_bytes;
  while (true) {
    append(sizes, bytes);
    const double next = std::floor(static_cast<double>(bytes) * factor);
    // Compare as doubles first: the product may not fit in 64 bits.
    if (!(next <= static_cast<double>(max_bytes))) break;
    bytes = std::max(static_cast<std::int64_t>(next), bytes + 1);  // 1 * 1.5 must still grow
    if (bytes > max_bytes) break;
  }
  return sizes;
}

std::vector<std::int64_t> linear_sizes(std::int64_t min_bytes, std::int64_t max_bytes,
                                       std::int64_t increment) {
  check_range(min_bytes, max_bytes);
  if (increment < 1) {
    throw UsageError(fmt::format("size increment is {} bytes (-i must be at least 1)", increment));
  }
  std::vector<std::int64_t> sizes{min_bytes};
  while (max_bytes - sizes.back() >= increment) append(sizes, sizes.back() + increment);
  return sizes;
}

}  // namespace fabricast
