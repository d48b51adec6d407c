#include "topologies/builders/torus_rings.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace fabricast {
namespace {

using Cycle = std::vector<std::int32_t>;

// The two cycles of long x short, as indices a + length(long) * b; what is no cycle is left out.
std::vector<Cycle> plane_cycles(std::int32_t longer, std::int32_t shorter) {
  std::vector<Cycle> cycles;
  if (longer % shorter != 0) return cycles;
  for (const bool along : {true, false}) {
    Cycle cycle;
    std::vector<bool> seen(static_cast<std::size_t>(longer) * static_cast<std::size_t>(shorter));
    std::int32_t a = 0, b = 0;
    while (true) {
      const std::int32_t here = a + longer * b;
      if (seen[static_cast<std::size_t>(here)]) break;
      seen[static_cast<std::size_t>(here)] = true;
      cycle.push_back(here);
      const bool corner = (a + b + 1) % shorter == 0;
      if (corner == along) {
        a = (a + 1) % longer;
      } else {
        b = (b + 1) % shorter;
      }
    }
    if (cycle.size() == seen.size() && a == 0 && b == 0) cycles.push_back(std::move(cycle));
  }
  return cycles;
}

// Cycles of the torus of a ring (its members in order) and an axis: the members at (i, c) are
// ring[i] + c * stride.
std::vector<Cycle> over(const Cycle& ring, std::int32_t size, std::int32_t stride) {
  const auto m = static_cast<std::int32_t>(ring.size());
  const bool ring_longer = m >= size;
  const std::int32_t longer = std::max(m, size);
  std::vector<Cycle> cycles = plane_cycles(longer, std::min(m, size));
  for (Cycle& cycle : cycles) {
    for (std::int32_t& at : cycle) {
      const std::int32_t a = at % longer, b = at / longer;
      at = ring[static_cast<std::size_t>(ring_longer ? a : b)] + (ring_longer ? b : a) * stride;
    }
  }
  return cycles;
}

Cycle line(std::int32_t size, std::int32_t stride) {
  Cycle members(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i] = static_cast<std::int32_t>(i) * stride;
  }
  return members;
}

// Back and forth along the axes in turn: every step but the closing one is a link.
Cycle snake(std::span<const std::int32_t> sizes) {
  Cycle cycle{0};
  std::int32_t stride = 1;
  for (const std::int32_t size : sizes) {
    const Cycle inner = cycle;
    for (std::int32_t c = 1; c < size; ++c) {
      const auto add = [&](std::int32_t at) { cycle.push_back(at + c * stride); };
      if (c % 2 == 1) {
        std::for_each(inner.rbegin(), inner.rend(), add);
      } else {
        std::for_each(inner.begin(), inner.end(), add);
      }
    }
    stride *= size;
  }
  return cycle;
}

}  // namespace

std::vector<Cycle> torus_rings(std::span<const std::int32_t> sizes, bool wraps) {
  std::vector<Cycle> cycles;
  std::array<std::int32_t, 3> stride{1, 1, 1};
  for (std::size_t i = 1; i < std::min<std::size_t>(3, sizes.size()); ++i) {
    stride[i] = stride[i - 1] * sizes[i - 1];
  }
  if (!wraps) {
    cycles.push_back(snake(sizes));
  } else if (sizes.size() == 1) {
    cycles.push_back(line(sizes[0], 1));
  } else if (sizes.size() == 2) {
    cycles = over(line(sizes[0], 1), sizes[1], stride[1]);
  } else if (sizes.size() == 3) {
    for (std::size_t third = 0; third < 3; ++third) {
      const std::size_t x = (third + 1) % 3, y = (third + 2) % 3;
      for (const Cycle& plane : over(line(sizes[x], stride[x]), sizes[y], stride[y])) {
        for (Cycle& cycle : over(plane, sizes[third], stride[third])) {
          cycles.push_back(std::move(cycle));
        }
      }
    }
  }
  if (cycles.empty()) cycles.push_back(snake(sizes));
  std::vector<Cycle> both;
  for (Cycle& cycle : cycles) {
    Cycle back(cycle.rbegin(), cycle.rend());
    both.push_back(std::move(cycle));
    both.push_back(std::move(back));
  }
  return both;
}

}  // namespace fabricast
