#include "emulator/schedule/schedule.hpp"

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/tree.hpp"

namespace fabricast {
namespace {

std::int32_t wrap(std::int64_t value, std::int32_t modulus) {
  const auto remainder = value % modulus;
  return static_cast<std::int32_t>(remainder < 0 ? remainder + modulus : remainder);
}

std::int32_t tree_peer(const PeerMap& map, const RankSpace& space, std::int32_t x) {
  const TreePosition position = tree_position(space, x, map.mirrored);
  switch (map.edge) {
    case PeerMap::TreeEdge::parent: return position.parent;
    case PeerMap::TreeEdge::child_low: return position.child_low;
    case PeerMap::TreeEdge::child_high: return position.child_high;
    case PeerMap::TreeEdge::chain_child: return position.chain_child;
  }
  return -1;
}

}  // namespace

std::int32_t peer_of(const PeerMap& map, const RankSpace& space, std::int32_t x, std::int32_t k) {
  const auto shift = static_cast<std::int64_t>(map.a) * k + map.b;
  switch (map.kind) {
    case PeerMap::Kind::none: return -1;
    case PeerMap::Kind::linear: return wrap(x + shift, space.size());
    case PeerMap::Kind::digit: {
      const std::int32_t digit = space.digit_of(x, map.digit);
      const std::int32_t moved = wrap(digit + shift, space.radix(map.digit));
      return x + (moved - digit) * space.weight(map.digit);
    }
    case PeerMap::Kind::tree: return tree_peer(map, space, x);
  }
  return -1;
}

std::int32_t chunk_of(const ChunkMap& map, const RankSpace& space, std::int32_t x, std::int32_t k) {
  std::int32_t chunk = 0;
  for (const auto& term : map.terms) {
    if (term.weight == 0) continue;
    const std::int32_t coordinate = term.digit < 0 ? x : space.digit_of(x, term.digit);
    const auto value = static_cast<std::int64_t>(term.cx) * coordinate +
                       static_cast<std::int64_t>(term.ck) * k + term.b;
    chunk += term.weight * wrap(value, term.modulus);
  }
  return chunk;
}

bool is_active(const Active& active, const RankSpace& space, std::int32_t x) {
  switch (active.kind) {
    case Active::Kind::all: return true;
    case Active::Kind::range: return active.first <= x && x < active.end;
    case Active::Kind::tree_shape: {
      const TreePosition position = tree_position(space, x, active.mirrored);
      return (position.parent >= 0) == active.parent &&
             (position.child_low >= 0) == active.child_low &&
             (position.child_high >= 0) == active.child_high &&
             (position.chain_child >= 0) == active.chain_child;
    }
  }
  return false;
}

std::int32_t Schedule::owner_of_chunk(std::int32_t chunk) const {
  FABRICAST_EXPECT(chunk >= 0 && chunk < chunks, "a chunk of this schedule");
  if (!transposed_chunks) return chunk;
  const std::int32_t domains = space.domains();
  return chunk / domains + chunk % domains * space.domain_size();
}

}  // namespace fabricast
