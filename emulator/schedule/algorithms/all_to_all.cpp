#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

// p - 1 rounds of one send and one receive, after the own block. The block a position sends is its
// peer's, the block it stores has its source's number.
Schedule exchange(std::string algorithm, const RankSpace& space, const PeerMap& to,
                  const PeerMap& from) {
  const std::int32_t p = space.size();
  auto schedule = empty_schedule(Collective::all_to_all, std::move(algorithm), space, p);
  schedule.roles = 2;  // sending and receiving are independent lanes
  schedule.stages.push_back(
      stage_of("own_block", 1, {action_copy, Buffer::input, 0, {}, {}, own_chunks(p, 0), {}}));
  PhaseGroup rounds{StageOrder::rounds, {}};
  rounds.phases.push_back(
      {action_send, Buffer::input, 0, {}, to, ChunkMap::of_peer_out(), {}});
  rounds.phases.push_back({recv_store, Buffer::input, 1, from, {}, ChunkMap::of_peer_in(), {}});
  add_stage(schedule, {"exchange", p - 1, {std::move(rounds)}});
  return schedule;
}

// 0, 1, 3, 6, 10 ... modulo the next power of two, as far as they are groups: every one once.
MapTable group_distances(std::int32_t groups) {
  const auto modulus = std::bit_ceil(static_cast<std::uint32_t>(groups));
  std::vector<std::int32_t> distances;
  std::uint32_t distance = 0;
  for (std::uint32_t i = 0; i < modulus; ++i) {
    distance = (distance + i) % modulus;
    if (distance < static_cast<std::uint32_t>(groups)) {
      distances.push_back(static_cast<std::int32_t>(distance));
    }
  }
  return MapTable(std::move(distances));
}

}  // namespace

Schedule pairwise_all_to_all(const RankSpace& space) {
  return exchange("pairwise", space, PeerMap::linear(1, 1), PeerMap::linear(-1, -1));
}

Schedule grouped_all_to_all(const RankSpace& space) {
  constexpr std::int32_t group_size = 8;  // NCCL_P2P_SCHEDULE_GROUP_SIZE
  const std::int32_t l = space.domain_size();
  const std::int32_t g = space.domains() == 1 ? l : std::gcd(group_size, l);
  const RankSpace groups{g, space.size() / g};
  const MapTable distances = group_distances(groups.domains());
  return exchange("grouped", groups, PeerMap::rounds(1, 1, distances),
                  PeerMap::rounds(-1, 1, distances));
}

}  // namespace fabricast
