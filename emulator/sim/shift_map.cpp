#include "emulator/sim/shift_map.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

std::int32_t wrap(std::int64_t value, std::int32_t modulus) {
  const auto remainder = value % modulus;
  return static_cast<std::int32_t>(remainder < 0 ? remainder + modulus : remainder);
}

ShiftMap normal(ShiftMap map, std::int32_t positions) {
  if (map.shift == 0) return {1, positions, 0};
  if (map.weight * map.radix == positions) return {1, positions, map.shift * map.weight};
  return map;
}

// First position after x at which the distance map(x) - x may change.
std::int32_t next_change(const ShiftMap& map, std::int32_t x, std::int32_t positions) {
  if (map.shift == 0) return positions;
  const std::int32_t block = map.weight * map.radix;
  const std::int32_t wraps_at = x - x % block + (map.radix - map.shift) * map.weight;
  return x < wraps_at ? wraps_at : x - x % block + block;
}

void append(std::vector<ColumnRun>& runs, const ColumnRun& run) {
  if (!runs.empty() && runs.back().in_delta == run.in_delta &&
      runs.back().out_delta == run.out_delta) {
    runs.back().count += run.count;
  } else {
    runs.push_back(run);
  }
}

}  // namespace

ShiftMap shift_map(const PeerMap& map, const RankSpace& space, std::int32_t k) {
  FABRICAST_EXPECT(map.kind == PeerMap::Kind::linear || map.kind == PeerMap::Kind::digit,
                   "a shift");
  ShiftMap shift{1, space.size(), 0};
  if (map.kind == PeerMap::Kind::digit) {
    shift.weight = space.weight(map.digit);
    shift.radix = space.radix(map.digit);
  }
  shift.shift = wrap(static_cast<std::int64_t>(map.a) * k + map.b, shift.radix);
  return normal(shift, space.size());
}

ShiftMap inverse(const ShiftMap& map, std::int32_t positions) {
  ShiftMap back = map;
  if (back.shift != 0) back.shift = back.radix - back.shift;
  return normal(back, positions);
}

bool coincide(const ShiftMap& a, const ShiftMap& b, std::int32_t positions) {
  const bool a_linear = a.radix == positions;
  const bool b_linear = b.radix == positions;
  // Shifts of one digit differ everywhere; shifts of two digits change different digits.
  if (a_linear == b_linear) return false;
  const ShiftMap& linear = a_linear ? a : b;
  const ShiftMap& digit = a_linear ? b : a;
  return linear.shift == digit.shift * digit.weight ||
         linear.shift ==
             wrap(static_cast<std::int64_t>(digit.shift - digit.radix) * digit.weight, positions);
}

void build_runs(const ShiftMap& in, const ShiftMap& out, std::int32_t positions,
                std::vector<ColumnRun>& runs) {
  runs.clear();
  for (std::int32_t x = 0; x < positions;) {
    const std::int32_t end =
        std::min({next_change(in, x, positions), next_change(out, x, positions), positions});
    append(runs, {x, end - x, in(x)-x, out(x) - x});
    x = end;
  }
}

void build_runs(const std::vector<std::int32_t>& in, const std::vector<std::int32_t>& out,
                std::vector<ColumnRun>& runs) {
  runs.clear();
  for (std::size_t x = 0; x < in.size(); ++x) {
    const auto column = static_cast<std::int32_t>(x);
    append(runs, {column, 1, in[x] - column, out[x] - column});
  }
}

}  // namespace fabricast
