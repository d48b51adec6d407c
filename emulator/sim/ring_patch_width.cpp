// How wide the patches of a ring should be.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <unordered_set>
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

// The kinds of surroundings: a patch with its two neighbours, whose costs decide what it becomes.
// At most `most` are counted, which an unfit width exceeds within few patches.
std::int64_t count_surroundings(const StretchHashes& stretches, std::size_t columns,
                                std::size_t width, std::int64_t most) {
  const std::size_t patches = columns / width;
  const auto kind = [&](std::size_t i) {
    return mix64(stretches.of((i + patches) % patches * width, width));
  };
  std::unordered_set<std::uint64_t> seen;
  std::uint64_t left = kind(patches - 1), own = kind(0), last = 0;
  for (std::size_t i = 0; i < patches && std::ssize(seen) < most; ++i) {
    const std::uint64_t right = kind(i + 1);
    const std::uint64_t all = mix64(mix64(left ^ own) + right);
    if (i == 0 || all != last) seen.insert(all);
    last = all;
    left = own;
    own = right;
  }
  return std::ssize(seen);
}

}  // namespace

// Candidates are distances between places where the costs change, and powers of two. Of them the
// one with the least estimated time (ns, measured on an EPYC with AVX2). An update takes 1.3, with
// its share of the halos 2.2; a look-up 16. Every block looks up every patch, two blocks to a
// width; some three waves, each through a patch that is new, are followed for an eighth of the
// steps; and kinds of surroundings that meet each other are evaluated some five times per pair.
std::optional<std::int32_t> RingPatches::width_for(const CostBlock& costs, std::int32_t columns) {
  constexpr std::int32_t least = 64, most_candidates = 512;
  constexpr double update = 2.2, look_up = 16, waves = 3.0 / 8, per_pair = 5;
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
  for (std::int32_t w = least; w <= columns / 16; w *= 2) widths.push_back(w);
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
  double least_time = whole / 4;  // an evaluation in blocks has some 2 N^2 updates
  std::optional<std::int32_t> best;
  for (const std::int32_t width : widths) {
    const double area = static_cast<double>(width) * width;
    const double looking_up = 2 * look_up * whole / area;
    const double following = update * waves * columns * width;
    const double pair = per_pair * update * area / 2;
    const double left = least_time - looking_up - following;
    if (left <= pair) continue;
    // So many would take longer, or are too many for a ring whose stretches are alike.
    const auto most = std::min(static_cast<std::int64_t>(std::sqrt(left / pair)) + 1,
                               std::int64_t{columns / width / 4 + 1});
    const std::int64_t kinds = count_surroundings(stretches, static_cast<std::size_t>(columns),
                                                  static_cast<std::size_t>(width), most);
    if (kinds >= most) continue;
    const double time = looking_up + following + pair * static_cast<double>(kinds * kinds);
    if (time >= least_time) continue;
    least_time = time;
    best = width;
  }
  return best;
}

}  // namespace fabricast
