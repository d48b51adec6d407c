#include "emulator/schedule/maps.hpp"

#include <utility>

namespace fabricast {
namespace {

std::int32_t wrap(std::int64_t value, std::int32_t modulus) {
  const auto remainder = value % modulus;
  return static_cast<std::int32_t>(remainder < 0 ? remainder + modulus : remainder);
}

std::int32_t shifted(const RankSpace& space, std::int32_t x, int digit, std::int64_t shift) {
  const std::int32_t value = space.digit_of(x, digit);
  return x + (wrap(value + shift, space.radix(digit)) - value) * space.weight(digit);
}

std::int32_t tree_peer(const PeerMap& map, const RankSpace& space, std::int32_t x) {
  const TreePosition position = map.level ? level_tree_position(space, map.digit, x, map.mirrored)
                                          : tree_position(space, x, map.mirrored);
  switch (map.edge) {
    case PeerMap::TreeEdge::parent:
      return position.parent;
    case PeerMap::TreeEdge::child_low:
      return position.child_low;
    case PeerMap::TreeEdge::child_high:
      return position.child_high;
    case PeerMap::TreeEdge::chain_child:
      return position.chain_child;
  }
  return -1;
}

std::int32_t round_peer(const PeerMap& map, const RankSpace& space, std::int32_t x,
                        std::int32_t k) {
  const std::int32_t i = k + map.b;
  const std::int32_t inner = space.radix(0);
  const auto outer = map.table[i / inner];
  const std::int32_t moved = shifted(space, x, 0, std::int64_t{map.a} * (i % inner));
  return space.digits() < 2 ? moved : shifted(space, moved, 1, std::int64_t{map.a} * outer);
}

}  // namespace

PeerMap PeerMap::linear(std::int32_t a, std::int32_t b) { return {Kind::linear, a, b}; }

PeerMap PeerMap::on_digit(std::int32_t digit, std::int32_t a, std::int32_t b) {
  PeerMap map{Kind::digit, a, b};
  map.digit = digit;
  return map;
}

PeerMap PeerMap::exclusive(std::int32_t mask) { return {Kind::exclusive, 0, mask}; }

PeerMap PeerMap::absolute(std::int32_t a, std::int32_t b) { return {Kind::absolute, a, b}; }

PeerMap PeerMap::tree(TreeEdge edge, bool mirrored) {
  PeerMap map{Kind::tree, 0, 0};
  map.edge = edge;
  map.mirrored = mirrored;
  return map;
}

PeerMap PeerMap::level_tree(TreeEdge edge, bool mirrored, std::int32_t digit) {
  PeerMap map = tree(edge, mirrored);
  map.level = true;
  map.digit = digit;
  return map;
}

PeerMap PeerMap::network_group(std::int32_t digit, std::uint8_t fifo) {
  PeerMap map = group(digit, fifo);
  map.network = true;
  return map;
}

PeerMap PeerMap::direct_group(std::int32_t digit, std::uint8_t fifo) {
  PeerMap map = group(digit, fifo);
  map.direct = true;
  return map;
}

PeerMap PeerMap::group(std::int32_t digit, std::uint8_t fifo) {
  PeerMap map{Kind::group, 0, 0};
  map.digit = digit;
  map.fifo = fifo;
  return map;
}

PeerMap PeerMap::rounds(std::int32_t a, std::int32_t b, MapTable digit1_shifts) {
  PeerMap map{Kind::rounds, a, b};
  map.table = std::move(digit1_shifts);
  return map;
}

PeerMap PeerMap::from_table(MapTable peers, std::uint8_t fifo) {
  PeerMap map{Kind::table, 0, 0};
  map.fifo = fifo;
  map.table = std::move(peers);
  return map;
}

bool PeerMap::varies() const {
  switch (kind) {
    case Kind::linear:
    case Kind::digit:
    case Kind::absolute:
      return a != 0;
    case Kind::rounds:
      return true;
    case Kind::none:
    case Kind::exclusive:
    case Kind::tree:
    case Kind::group:
    case Kind::table:
      return false;
  }
  return false;
}

Active Active::range(std::int32_t first, std::int32_t end) { return {Kind::range, first, end}; }

Active Active::from_table(MapTable active) {
  return {Kind::table, 0, 0, false, false, false, false, false, std::move(active)};
}

std::int32_t peer_of(const PeerMap& map, const RankSpace& space, std::int32_t x, std::int32_t k) {
  const auto shift = static_cast<std::int64_t>(map.a) * k + map.b;
  switch (map.kind) {
    case PeerMap::Kind::none:
    case PeerMap::Kind::group:
      return -1;
    case PeerMap::Kind::linear:
      return wrap(x + shift, space.size());
    case PeerMap::Kind::digit:
      return shifted(space, x, map.digit, shift);
    case PeerMap::Kind::exclusive: {
      const std::int32_t peer = x ^ map.b;
      return peer < space.size() ? peer : -1;
    }
    case PeerMap::Kind::absolute: {
      const std::int32_t peer = wrap(shift, space.size());
      return peer == x ? -1 : peer;
    }
    case PeerMap::Kind::tree:
      return tree_peer(map, space, x);
    case PeerMap::Kind::rounds:
      return round_peer(map, space, x, k);
    case PeerMap::Kind::table:
      return map.table[x];
  }
  return -1;
}

bool has_shape(const Active& active, const TreePosition& position) {
  return (position.parent >= 0) == active.parent && (position.child_low >= 0) == active.child_low &&
         (position.child_high >= 0) == active.child_high &&
         (position.chain_child >= 0) == active.chain_child;
}

bool is_active(const Active& active, const RankSpace& space, std::int32_t x) {
  switch (active.kind) {
    case Active::Kind::all:
      return true;
    case Active::Kind::range:
      return active.first <= x && x < active.end;
    case Active::Kind::tree_shape:
    case Active::Kind::level_tree_shape: {
      const TreePosition position =
          active.kind == Active::Kind::tree_shape
              ? tree_position(space, x, active.mirrored)
              : level_tree_position(space, active.first, x, active.mirrored);
      return has_shape(active, position);
    }
    case Active::Kind::table:
      return active.table[x] != 0;
  }
  return false;
}

std::vector<std::int32_t> group_members(const PeerMap& map, const RankSpace& space,
                                        std::int32_t x) {
  std::vector<std::int32_t> members;
  if (!map.is_group()) return members;
  for (std::int32_t i = 1; i < space.radix(map.digit); ++i) {
    members.push_back(shifted(space, x, map.digit, i));
  }
  return members;
}

}  // namespace fabricast
