#include "topologies/builders/torus_rings.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace fabricast {
namespace {

using Cycle = std::vector<std::int32_t>;

// The steps a + b = -1 mod `shorter` along one axis, all others along the other one: where
// `shorter` divides `longer`, both ways mostly are cycles through all members. As indices a +
// longer * b.
std::vector<Cycle> staircases(std::int32_t longer, std::int32_t shorter) {
  std::vector<Cycle> cycles;
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

// Which edges of longer x shorter the first of two cycles takes: those from a member along the
// first and along the second axis. The second cycle takes all others.
struct Taken {
  std::vector<bool> along_first, along_second;
};

// From all lines along the first axis, and for the other cycle all along the second: the four edges
// of a square change hands. Squares down the diagonal join the lines of both; those after them, in
// two rows in turn, part the first cycle and join it again, and join the next lines of the second.
// Where one axis is odd and the other even, a last square lies over the edge of the odd one, where
// two parallel steps are turned and the cycle of that axis stays one.
Taken squares(std::int32_t longer, std::int32_t shorter) {
  std::vector<std::pair<std::int32_t, std::int32_t>> corners;
  for (std::int32_t i = 0; i + 1 < shorter; ++i) corners.emplace_back(i, i);
  for (std::int32_t a = shorter - 1; a + 1 < longer; ++a) {
    corners.emplace_back(a, (a - shorter + 1) % 2);
  }
  if ((longer - shorter) % 2 != 0) {
    if (shorter % 2 != 0) {
      corners.back() = {longer - 2, shorter - 1};
    } else {
      corners.emplace_back(longer - 1, 1);
    }
  }
  const auto members = static_cast<std::size_t>(longer) * static_cast<std::size_t>(shorter);
  Taken taken{std::vector<bool>(members, true), std::vector<bool>(members, false)};
  for (const auto& [a, b] : corners) {
    const auto at = [&](std::int32_t i, std::int32_t j) {
      return static_cast<std::size_t>(i % longer + longer * (j % shorter));
    };
    taken.along_first[at(a, b)] = taken.along_first[at(a, b + 1)] = false;
    taken.along_second[at(a, b)] = taken.along_second[at(a + 1, b)] = true;
  }
  return taken;
}

// The walk from member 0 over the edges taken (or, of the second cycle, not taken).
Cycle walk(const Taken& taken, std::int32_t longer, std::int32_t shorter, bool first) {
  Cycle cycle;
  std::int32_t at = 0, before = -1;
  do {
    cycle.push_back(at);
    const std::int32_t a = at % longer, b = at / longer;
    const std::int32_t left = (a + longer - 1) % longer + longer * b;
    const std::int32_t below = a + longer * ((b + shorter - 1) % shorter);
    const auto has = [&](const std::vector<bool>& edges, std::int32_t from) {
      return edges[static_cast<std::size_t>(from)] == first;
    };
    std::int32_t next = -1;
    const auto consider = [&](bool is_edge, std::int32_t to) {
      if (is_edge && to != before && next < 0) next = to;
    };
    consider(has(taken.along_first, at), (a + 1) % longer + longer * b);
    consider(has(taken.along_second, at), a + longer * ((b + 1) % shorter));
    consider(has(taken.along_first, left), left);
    consider(has(taken.along_second, below), below);
    before = at;
    at = next;
  } while (at != 0);
  return cycle;
}

// The two cycles of longer x shorter; what is no cycle through all members is left out.
std::vector<Cycle> plane_cycles(std::int32_t longer, std::int32_t shorter) {
  std::vector<Cycle> cycles;
  if (longer % shorter == 0) cycles = staircases(longer, shorter);
  if (cycles.size() == 2 || shorter < 3) return cycles;
  cycles.clear();
  const Taken taken = squares(longer, shorter);
  for (const bool first : {true, false}) {
    Cycle cycle = walk(taken, longer, shorter, first);
    if (cycle.size() == taken.along_first.size()) cycles.push_back(std::move(cycle));
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
