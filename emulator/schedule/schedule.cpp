#include "emulator/schedule/schedule.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

// Rounds towards minus infinity, so that the closed forms are periodic over negative values too.
std::int64_t floor_div(std::int64_t value, std::int64_t divisor) {
  const std::int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

std::int32_t chunk_of(const ChunkMap& map, const Phase& phase, const RankSpace& space,
                      std::int32_t x, std::int32_t k) {
  switch (map.kind) {
    case ChunkMap::Kind::peer_in: return peer_of(phase.peer_in, space, x, k);
    case ChunkMap::Kind::peer_out: return peer_of(phase.peer_out, space, x, k);
    case ChunkMap::Kind::table: return map.table[x];
    case ChunkMap::Kind::terms: break;
  }
  std::int32_t chunk = 0;
  for (const auto& term : map.terms) {
    if (term.weight == 0) continue;
    const std::int32_t coordinate = term.digit < 0 ? x : space.digit_of(x, term.digit);
    const auto value = static_cast<std::int64_t>(term.cx) * coordinate +
                       static_cast<std::int64_t>(term.ck) * k + term.b;
    const std::int64_t part = floor_div(value, term.divisor);
    chunk += term.weight * static_cast<std::int32_t>(part - floor_div(part, term.modulus) * term.modulus);
  }
  return chunk;
}

// Where the chunk maps are evaluated: at the member's position if every member has its own chunk.
std::int32_t place_of_chunk(const Phase& phase, const RankSpace& space, std::int32_t x,
                            std::int32_t k) {
  if (!phase.per_member) return x;
  const PeerMap& member = phase.peer_in.exists() ? phase.peer_in : phase.peer_out;
  const std::int32_t peer = peer_of(member, space, x, k);
  return peer < 0 ? x : peer;
}

}  // namespace

std::int32_t source_chunk_of(const Phase& phase, const RankSpace& space, std::int32_t x,
                             std::int32_t k) {
  return chunk_of(phase.chunk, phase, space, place_of_chunk(phase, space, x, k), k);
}

std::int32_t target_chunk_of(const Phase& phase, const RankSpace& space, std::int32_t x,
                             std::int32_t k) {
  const ChunkMap& map = phase.has_target_chunk() ? phase.target_chunk : phase.chunk;
  return chunk_of(map, phase, space, place_of_chunk(phase, space, x, k), k);
}

std::int32_t Schedule::owner_of_chunk(std::int32_t chunk) const {
  FABRICAST_EXPECT(chunk >= 0 && chunk < chunks, "a chunk of this schedule");
  if (!transposed_chunks) return chunk / block_parts;
  const std::int32_t domains = space.domains();
  return chunk / domains + chunk % domains * space.domain_size();
}

}  // namespace fabricast
