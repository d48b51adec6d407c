#include "emulator/sim/family_map.hpp"

#include <algorithm>

namespace fabricast {
namespace {

std::int32_t wrap(std::int64_t value, std::int32_t modulus) {
  const auto remainder = value % modulus;
  return static_cast<std::int32_t>(remainder < 0 ? remainder + modulus : remainder);
}

// The map without its range.
std::optional<FamilyMap> plain(const PeerMap& map, const RankSpace& space, std::int32_t k) {
  FamilyMap family;
  family.fifo = map.fifo;
  switch (map.kind) {
    case PeerMap::Kind::linear:
    case PeerMap::Kind::digit:
      family.shift = shift_map(map, space, k);
      return family;
    case PeerMap::Kind::exclusive:
      if (map.b < 1) return std::nullopt;
      family.kind = FamilyMap::Kind::exclusive;
      family.other = map.b;
      return family;
    case PeerMap::Kind::rounds: {
      if (space.digits() != 2) return std::nullopt;
      const std::int32_t i = k + map.b;
      const std::int32_t inner = space.radix(0);
      family.kind = FamilyMap::Kind::two_digit;
      family.shift = {1, inner, wrap(std::int64_t{map.a} * (i % inner), inner)};
      family.other = wrap(std::int64_t{map.a} * map.table[i / inner], space.radix(1));
      return family;
    }
    case PeerMap::Kind::group:
      if (space.radix(map.digit) < 2) return std::nullopt;
      family.kind = FamilyMap::Kind::group;
      family.shift = {space.weight(map.digit), space.radix(map.digit), 1};
      family.other = map.digit;
      return family;
    case PeerMap::Kind::none:
    case PeerMap::Kind::absolute:
    case PeerMap::Kind::tree:
    case PeerMap::Kind::table: break;
  }
  return std::nullopt;
}

// Where the map takes a range, if that is a range too.
std::optional<ColumnRange> image(const FamilyMap& map, ColumnRange range, std::int32_t positions) {
  if (range.count() == positions && map.kind != FamilyMap::Kind::exclusive) return range;
  if (map.kind == FamilyMap::Kind::group) return std::nullopt;
  std::int32_t low = positions, high = -1;
  for (std::int32_t x = range.first; x < range.end; ++x) {
    const std::int32_t y = map(x, positions);
    if (y >= positions) return std::nullopt;
    low = std::min(low, y);
    high = std::max(high, y);
  }
  if (high - low + 1 != range.count()) return std::nullopt;
  return ColumnRange{low, high + 1};
}

// Columns from x on at which the distance to the peer stays the same.
std::int32_t steady(const FamilyMap& map, std::int32_t x, std::int32_t positions) {
  if (map.kind == FamilyMap::Kind::exclusive) {
    const std::int32_t block = map.other & -map.other;  // the lowest bit decides
    return block - x % block;
  }
  const std::int32_t digit = x / map.shift.weight % map.shift.radix;
  const std::int32_t wraps = map.shift.radix - map.shift.shift;
  const std::int32_t until = digit < wraps ? wraps : map.shift.radix;
  if (map.kind == FamilyMap::Kind::shift && map.shift.shift == 0) return positions - x;
  return (until - digit) * map.shift.weight - x % map.shift.weight;
}

void add_run(const ColumnRun& run, std::vector<ColumnRun>& runs) {
  if (!runs.empty() && runs.back().in_delta == run.in_delta &&
      runs.back().out_delta == run.out_delta) {
    runs.back().count += run.count;
  } else {
    runs.push_back(run);
  }
}

// Of all positions by a map of two digits, receiving or sending: a block of digit 0 goes to another
// one, in two parts. An exchange asks for them in every repetition, so no column is looked at.
void build_block_runs(const FamilyMap& map, bool receiving, std::int32_t positions,
                      std::vector<ColumnRun>& runs) {
  const std::int32_t radix = map.shift.radix, shift = map.shift.shift;
  const auto add = [&](std::int32_t first, std::int32_t count, std::int32_t delta) {
    add_run({first, count, receiving ? delta : 0, receiving ? 0 : delta}, runs);
  };
  for (std::int32_t block = 0; block < positions; block += radix) {
    std::int32_t delta = map.other * radix + shift;
    if (block + map.other * radix >= positions) delta -= positions;
    add(block, radix - shift, delta);
    if (shift > 0) add(block + radix - shift, shift, delta - radix);
  }
}

}  // namespace

std::int32_t FamilyMap::operator()(std::int32_t x, std::int32_t positions) const {
  switch (kind) {
    case Kind::shift: return shift(x);
    case Kind::exclusive: return x ^ other;
    case Kind::two_digit: return (shift(x) + other * shift.radix) % positions;
    case Kind::group: break;
  }
  return -1;
}

std::optional<FamilyMap> family_of_senders(const PeerMap& out, const RankSpace& space,
                                           std::int32_t k, ColumnRange senders) {
  auto family = plain(out, space, k);
  if (!family || !image(*family, senders, space.size())) return std::nullopt;
  family->senders = senders;
  return family;
}

std::optional<FamilyMap> family_of_receivers(const PeerMap& in, const RankSpace& space,
                                             std::int32_t k, ColumnRange receivers) {
  const auto back = plain(in, space, k);
  if (!back) return std::nullopt;
  const auto senders = image(*back, receivers, space.size());
  if (!senders) return std::nullopt;
  FamilyMap family = inverse(*back, space.size());
  family.senders = *senders;
  return family;
}

FamilyMap inverse(const FamilyMap& forward, std::int32_t positions) {
  FamilyMap map = forward;
  switch (map.kind) {
    case FamilyMap::Kind::shift: map.shift = inverse(map.shift, positions); break;
    case FamilyMap::Kind::two_digit:
      map.shift.shift = wrap(-std::int64_t{map.shift.shift}, map.shift.radix);
      map.other = wrap(-std::int64_t{map.other}, positions / map.shift.radix);
      break;
    case FamilyMap::Kind::exclusive:
    case FamilyMap::Kind::group: break;  // their own inverses
  }
  return map;
}

ShiftMap group_step(const FamilyMap& group, std::int32_t positions) {
  const ShiftMap& shift = group.shift;
  if (shift.weight * shift.radix == positions) return {1, positions, shift.weight};
  return shift;
}

bool share_connections(const FamilyMap& a, const FamilyMap& b, std::int32_t positions) {
  using Kind = FamilyMap::Kind;
  if (a.fifo != b.fifo || !a.senders.overlaps(b.senders)) return false;
  if (a.kind == b.kind) {
    if (a.kind == Kind::shift && a.shift != b.shift) return coincide(a.shift, b.shift, positions);
    return a.shift == b.shift && a.other == b.other;
  }
  const FamilyMap& group = a.kind == Kind::group ? a : b;
  const FamilyMap& map = a.kind == Kind::group ? b : a;
  const auto same_group = [&](std::int32_t x, std::int32_t y) {
    const std::int32_t weight = group.shift.weight;
    const std::int32_t block = weight * group.shift.radix;
    return x != y && x / block == y / block && x % weight == y % weight;
  };
  for (std::int32_t x = std::max(a.senders.first, b.senders.first);
       x < std::min(a.senders.end, b.senders.end); ++x) {
    const std::int32_t y = map(x, positions);
    if (group.kind == Kind::group ? same_group(x, y) : y == group(x, positions)) return true;
  }
  return false;
}

void build_runs(const FamilyMap* in, const FamilyMap* out, ColumnRange range,
                std::int32_t positions, std::vector<ColumnRun>& runs) {
  runs.clear();
  const auto used = [](const FamilyMap* map) {
    return map != nullptr && map->kind != FamilyMap::Kind::group;
  };
  const bool has_in = used(in), has_out = used(out);
  const FamilyMap back = has_in ? inverse(*in, positions) : FamilyMap{};
  if (has_in != has_out && range.count() == positions) {
    const FamilyMap& map = has_in ? back : *out;
    if (map.kind == FamilyMap::Kind::two_digit) {
      return build_block_runs(map, has_in, positions, runs);
    }
  }
  for (std::int32_t x = range.first; x < range.end;) {
    std::int32_t count = range.end - x;
    if (has_in) count = std::min(count, steady(back, x, positions));
    if (has_out) count = std::min(count, steady(*out, x, positions));
    const ColumnRun run{x, count, has_in ? back(x, positions) - x : 0,
                        has_out ? (*out)(x, positions) - x : 0};
    add_run(run, runs);
    x += count;
  }
}

}  // namespace fabricast
