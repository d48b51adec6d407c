// The part of TrafficBuilder about who passes on at once what he takes (semantics 3.9).
#include <algorithm>
#include <vector>

#include "emulator/cost/traffic_builder.hpp"

namespace fabricast {

EdgeRow TrafficBuilder::onward_row(const ChannelGroup& group, const PhaseGroup& phases,
                                   const std::vector<PhaseEdges>& edges) {
  // In rounds a message is taken in a later phase or repetition.
  if (on_device_ || phases.order == StageOrder::rounds ||
      std::any_of(phases.phases.begin(), phases.phases.end(), phase_varies)) {
    return nullptr;
  }
  constexpr std::int32_t nobody = -1, several = -2;
  const std::size_t positions = group.ranks.size();
  struct Onward {
    std::int32_t from = nobody;  // whose message is passed on
    std::uint8_t fifo = 0;
    EdgeId edge = EdgeTable::idle;
  };
  std::vector<Onward> onward(positions);
  for (std::size_t p = 0; p < edges.size(); ++p) {
    const Phase& phase = phases.phases[p];
    if (!phase.peer_in.exists() || phase.peer_in.is_group() || phase.peer_out.is_group()) continue;
    const PhasePeers& its = peers(*group.schedule, phase);
    for (std::size_t y = 0; y < positions; ++y) {
      if (its.in[y] < 0 || its.out[y] < 0) continue;
      const bool first = onward[y].from == nobody;
      onward[y] = {first ? its.in[y] : several, phase.peer_in.fifo, (*edges[p].send)[y]};
    }
  }
  std::vector<EdgeId> row(positions, EdgeTable::idle);
  std::vector<char> sends(positions, 0);
  for (const Phase& phase : phases.phases) {
    if (!phase.peer_out.exists()) continue;
    const PhasePeers& its = peers(*group.schedule, phase);
    for (std::size_t x = 0; x < positions; ++x) {
      if (its.out[x] == PhasePeers::inactive) continue;
      row[x] = EdgeTable::idle;  // of who sends twice
      if (its.out[x] >= 0 && sends[x] == 0) {
        const Onward& next = onward[static_cast<std::size_t>(its.out[x])];
        const bool same = next.from == static_cast<std::int32_t>(x);
        if (same && next.fifo == phase.peer_out.fifo) row[x] = next.edge;
      }
      sends[x] = 1;
    }
  }
  if (std::all_of(row.begin(), row.end(), [](EdgeId e) { return e == EdgeTable::idle; })) {
    return nullptr;
  }
  return std::make_shared<const std::vector<EdgeId>>(std::move(row));
}

}  // namespace fabricast
