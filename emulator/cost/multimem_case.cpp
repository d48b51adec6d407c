#include "emulator/cost/multimem_case.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/algorithms/group_phases.hpp"
#include "emulator/schedule/algorithms/two_level.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t line = 128;  // kernels/lane/fifo.hpp, line_bytes

// One lane per CTA. The loads are the work of who reduces: contributing is a stage of its own,
// whose links nothing crosses.
std::shared_ptr<const Schedule> shares_schedule(const RankSpace& space) {
  FABRICAST_EXPECT(space.domains() == 1, "GPUs of one switch");
  const PeerMap all = PeerMap::group(0);
  const ChunkMap own = own_block(space);
  Phase reduce = reduce_part(0, all, own, Buffer::output);
  reduce.action |= action_send;
  reduce.peer_out = all;
  Schedule schedule = two_level_schedule(Collective::all_reduce, "nvls", space);
  add_stage(schedule, stage_of_phases("contribute", {scatter_parts(0, all, own)}));
  add_stage(schedule, stage_of_phases("in_switch", {reduce, gather_parts(0, all, own)}));
  return std::make_shared<const Schedule>(std::move(schedule));
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

ExecutionPlan multimem_plan(const Topology& topology, const PointSpec& point,
                            std::int32_t channels) {
  ExecutionPlan plan;
  plan.collective = point.collective;
  plan.algorithm = point.algorithm;
  plan.space = topology.space();
  plan.bytes = point.bytes;
  plan.element_bytes = point.element_bytes;
  const auto schedule = shares_schedule(plan.space);
  for (std::int32_t c = 0; c < channels; ++c) {
    plan.channels.push_back({schedule, Placement::identity(plan.space)});
  }
  const std::int64_t lines = ceil_div(point.bytes, line);
  const std::int64_t parts = std::int64_t{channels} * plan.ranks();
  plan.slice_bytes = std::min(point.bytes, ceil_div(lines, parts) * line);
  return plan;
}

std::int64_t multimem_link_bytes(const ExecutionPlan& plan) {
  return plan.slice_bytes * (plan.ranks() + 1);
}

std::int64_t multimem_whole_bytes(const ExecutionPlan& plan) {
  return plan.bytes + ceil_div(plan.bytes, plan.ranks());
}

LinkLoad multimem_load(const Topology& topology, const ExecutionPlan& plan) {
  const auto& classes = topology.link_classes();
  const auto nvlink = std::find_if(classes.begin(), classes.end(),
                                   [](const LinkClass& c) { return c.kind == LinkKind::nvlink; });
  LinkLoad load;
  load.link_class = LinkClassId::from(nvlink - classes.begin());
  std::set<std::int64_t> links;
  for (std::int32_t r = 0; r < plan.ranks(); ++r) {
    const Route route = topology.route(RankId::from(r), RankId::from((r + 1) % plan.ranks()));
    for (const LinkId link : route.span()) links.insert(link.value());
  }
  load.links = static_cast<std::int64_t>(links.size());
  load.busiest_bytes = multimem_whole_bytes(plan);
  load.total_bytes = load.busiest_bytes * load.links;
  load.capacity = Bandwidth(static_cast<std::int64_t>(nvlink->bandwidth.value * bytes_per_gb));
  return load;
}

}  // namespace fabricast
