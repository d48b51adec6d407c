#include <utility>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/group_phases.hpp"

// NCCL's CollNet: the switches of the network between domains add up what the heads of all domains
// send, and give every head the sum. A group along digit 1 is that: each head sends its domain's
// part once, and receives the others' once, added up on the way. Its own part it has kept, which is
// why the second stage waits for the first.

namespace fabricast {
namespace {

const PeerMap network = PeerMap::network_group(1, 2);

Schedule in_network_schedule(std::string algorithm, const RankSpace& space, std::int32_t chunks,
                             std::int32_t roles) {
  FABRICAST_EXPECT(space.domains() >= 2, "a network between domains");
  auto schedule = empty_schedule(Collective::all_reduce, std::move(algorithm), space, chunks);
  schedule.roles = roles;
  return schedule;
}

// Wait until `role` has ended the stage before in this loop.
MapTable after_first_stage(const RankSpace& space, std::int32_t role) {
  std::vector<std::int32_t> table;
  for (std::int32_t x = 0; x < space.size(); ++x) {
    table.push_back(role);
    table.push_back(0);
  }
  return MapTable(std::move(table));
}

// Positions whose local index is in [first, end).
Active local(const RankSpace& space, std::int32_t first, std::int32_t end) {
  if (first == 0 && end == space.domain_size()) return Active::all();
  std::vector<std::int32_t> table;
  for (std::int32_t x = 0; x < space.size(); ++x) {
    const std::int32_t at = x % space.domain_size();
    table.push_back(at >= first && at < end ? 1 : 0);
  }
  return Active::from_table(MapTable(std::move(table)));
}

// The head takes the others' sum from the network into its own part.
Phase from_network(const RankSpace& space, std::uint8_t role, std::uint8_t waits_for,
                   const ChunkMap& part, Active active) {
  Phase phase{recv_reduce_store, Buffer::output, role, network, {}, part, std::move(active)};
  phase.after = after_first_stage(space, waits_for);
  return phase;
}

constexpr std::uint8_t scatter_role = 0;
constexpr std::uint8_t up_role = 1;
constexpr std::uint8_t down_role = 2;
constexpr std::uint8_t gather_role = 3;

// Part of the member i upwards of the own digit.
ChunkMap part_of_member(std::int32_t l, std::int32_t i) { return {{fixed_term(0, l, i), {}}}; }

}  // namespace

Schedule direct_in_network_all_reduce(const RankSpace& space) {
  const std::int32_t l = space.domain_size();
  auto schedule = in_network_schedule("collnet_direct", space, l, 4);
  const ChunkMap own = part_of_member(l, 0);
  std::vector<Phase> up, down;
  for (std::int32_t i = 1; i < l; ++i) {
    up.push_back({action_send,
                  Buffer::input,
                  scatter_role,
                  {},
                  PeerMap::on_digit(0, 0, i),
                  part_of_member(l, i),
                  {}});
  }
  for (std::int32_t i = l - 1; i >= 1; --i) {
    up.push_back({recv_reduce_store,
                  i == l - 1 ? Buffer::input : Buffer::output,
                  up_role,
                  PeerMap::on_digit(0, 0, -i),
                  {},
                  own,
                  {}});
  }
  if (l == 1) up.push_back({action_copy, Buffer::input, up_role, {}, {}, own, {}});
  up.push_back({action_send, Buffer::output, up_role, {}, network, own, {}});
  down.push_back(from_network(space, down_role, up_role, own, Active::all()));
  for (std::int32_t i = 1; i < l; ++i) {
    PeerMap to = PeerMap::on_digit(0, 0, i);
    to.fifo = 1;
    down.push_back({action_send, Buffer::output, down_role, {}, std::move(to), own, {}});
  }
  for (std::int32_t i = l - 1; i >= 1; --i) {
    PeerMap from = PeerMap::on_digit(0, 0, -i);
    from.fifo = 1;
    down.push_back(
        {recv_store, Buffer::input, gather_role, std::move(from), {}, part_of_member(l, -i), {}});
  }
  add_stage(schedule, stage_of_phases("into_network", std::move(up)));
  add_stage(schedule, stage_of_phases("from_network", std::move(down)));
  return schedule;
}

Schedule chain_in_network_all_reduce(const RankSpace& space) {
  const std::int32_t l = space.domain_size();
  auto schedule = in_network_schedule("collnet_chain", space, 1, 2);
  constexpr std::uint8_t reduce_role = 0, copy_role = 1;
  const ChunkMap whole = first_chunks(1);
  const PeerMap above = PeerMap::on_digit(0, 0, -1), below = PeerMap::on_digit(0, 0, 1);
  const Active head = local(space, 0, 1), tail = local(space, l - 1, l);
  const Active middle = local(space, 1, l - 1);
  PhaseGroup up{StageOrder::dataflow, {}}, down{StageOrder::dataflow, {}};
  if (l == 1) {
    up.phases.push_back(
        {action_copy | action_send, Buffer::input, reduce_role, {}, network, whole, head});
  } else {
    up.phases.push_back({action_send, Buffer::input, reduce_role, {}, above, whole, tail});
    if (l > 2)
      up.phases.push_back(
          {recv_reduce_send, Buffer::input, reduce_role, below, above, whole, middle});
    up.phases.push_back(
        {recv_reduce_forward, Buffer::input, reduce_role, below, network, whole, head});
  }
  Phase result = from_network(space, copy_role, reduce_role, whole, head);
  if (l > 1) {
    result.action |= action_send;
    result.peer_out = below;
  }
  down.phases.push_back(std::move(result));
  if (l > 2)
    down.phases.push_back({recv_forward, Buffer::input, copy_role, above, below, whole, middle});
  if (l > 1) down.phases.push_back({recv_store, Buffer::input, copy_role, above, {}, whole, tail});
  schedule.stages.push_back({"into_network", 1, {std::move(up)}});
  schedule.stages.push_back({"from_network", 1, {std::move(down)}});
  return schedule;
}

Schedule switch_in_network_all_reduce(const RankSpace& space) {
  const std::int32_t l = space.domain_size();
  FABRICAST_EXPECT(l >= 2, "a switch joins at least two");
  auto schedule = in_network_schedule("nvls_sharp", space, l, 4);
  const ChunkMap own = part_of_member(l, 0);
  const PeerMap to_reduction = PeerMap::group(0, 0), multicast = PeerMap::group(0, 1);
  Phase publish = from_network(space, down_role, up_role, own, Active::all());
  publish.action |= action_send;
  publish.peer_out = multicast;
  add_stage(schedule,
            stage_of_phases(
                "into_network",
                {scatter_parts(scatter_role, to_reduction, own),
                 {recv_reduce_forward, Buffer::input, up_role, to_reduction, network, own, {}}}));
  add_stage(schedule, stage_of_phases("from_network", {std::move(publish),
                                                       gather_parts(gather_role, multicast, own)}));
  return schedule;
}

}  // namespace fabricast
