// How wide the patches of a ring should be.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/sim/ring_patches.hpp"

namespace fabricast {
namespace {

// Polynomial hashes of all prefixes: the hash of any stretch in O(1). Only the choice of the width
// depends on them.
struct StretchHashes {
  static constexpr std::uint64_t factor = 0x9E3779B97F4A7C15u;
  std::vector<std::uint64_t> prefix{0}, power{1};

  explicit StretchHashes(const std::vector<std::uint64_t>& columns) {
    for (const std::uint64_t hash : columns) {
      prefix.push_back(prefix.back() * factor + hash);
      power.push_back(power.back() * factor);
    }
  }
  std::uint64_t of(std::size_t first, std::size_t width) const {
    return prefix[first + width] - prefix[first] * power[width];
  }
};

}  // namespace

// Candidates are distances between places where the costs change. Of them the one with the least
// estimated work: kinds of patches and the waves that tell them apart, and look-ups.
std::optional<std::int32_t> RingPatches::width_for(const CostBlock& costs, std::int32_t columns) {
  constexpr std::int32_t least = 64, most_candidates = 512;
  if (columns < 16 * least) return std::nullopt;
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(columns), 0);
  std::vector<std::int32_t> changes;
  for (std::int32_t x = 0; x < columns; ++x) {
    auto& hash = hashes[static_cast<std::size_t>(x)];
    for (const auto* row : {&costs.lane, &costs.port, &costs.latency, &costs.credit}) {
      hash = mix64(hash ^ static_cast<std::uint64_t>((*row)[static_cast<std::size_t>(x)]));
    }
    if (x > 0 && hash != hashes[static_cast<std::size_t>(x) - 1]) changes.push_back(x);
  }
  std::vector<std::int32_t> widths{std::max(least, columns / 1000)};
  for (const std::size_t from : {std::size_t{0}, changes.size() / 2}) {
    for (std::size_t j = from + 1; j < std::min(changes.size(), from + most_candidates); ++j) {
      const std::int32_t distance = changes[j] - changes[from];
      if (distance > columns / 8) break;
      widths.push_back((least + distance - 1) / distance * distance);
    }
  }
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  const StretchHashes stretches(hashes);
  const double whole = static_cast<double>(columns) * columns;
  double least_work = whole / 4;  // an evaluation in blocks has some 2 N^2 updates
  std::optional<std::int32_t> best;
  std::vector<std::uint64_t> kinds;
  for (std::size_t w = widths.size(); w-- > 0;) {  // the widest first, which are soon looked at
    const std::int32_t width = widths[w];
    const double look_ups = 160 * whole / width / width;
    if (look_ups >= least_work) break;
    kinds.clear();
    for (std::int32_t x = 0; x + width <= columns; x += width) {
      kinds.push_back(stretches.of(static_cast<std::size_t>(x), static_cast<std::size_t>(width)));
    }
    std::sort(kinds.begin(), kinds.end());
    const auto distinct = std::unique(kinds.begin(), kinds.end()) - kinds.begin();
    const double fresh = 3.0 * static_cast<double>(distinct * distinct) * width * width;
    const double work = look_ups + fresh;
    if (best ? work > least_work : work >= least_work) continue;  // of equals the narrowest
    least_work = work;
    best = width;
  }
  return best;
}

}  // namespace fabricast
