#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {

Schedule pairwise_all_to_all(const RankSpace& space) {
  const std::int32_t p = space.size();
  Schedule schedule;
  schedule.collective = Collective::all_to_all;
  schedule.algorithm = "pairwise";
  schedule.space = space;
  schedule.chunks = p;
  schedule.roles = 2;  // sending and receiving are independent lanes
  const ChunkMap own{{fixed_term(-1, p, 0), {}}, 1};
  schedule.stages.push_back(stage_of("own_block", 1, {action_copy, false, 0, {}, {}, own, {}}));
  if (p == 1) return schedule;
  const ChunkMap destination{{ChunkMap::Term{1, -1, 1, 1, 1, p}, {}}, 1};
  const ChunkMap source{{ChunkMap::Term{1, -1, 1, -1, -1, p}, {}}, 1};
  PhaseGroup exchange{StageOrder::rounds, {}};
  exchange.phases.push_back({action_send, false, 0, {}, PeerMap::linear(1, 1), destination, {}});
  exchange.phases.push_back({recv_store, false, 1, PeerMap::linear(-1, -1), {}, source, {}});
  schedule.stages.push_back({"exchange", p - 1, {std::move(exchange)}});
  return schedule;
}

}  // namespace fabricast
