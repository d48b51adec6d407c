#include "emulator/cost/multimem_case.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace fabricast {
namespace {

constexpr std::int64_t line = 128;  // kernels/lane/fifo.hpp, line_bytes

// Everybody's own share from input to output; the switch is in the step's cost.
std::shared_ptr<const Schedule> shares_schedule(const RankSpace& space) {
  Phase phase;
  phase.action = action_copy;
  phase.chunk.terms[0] = {1, -1, 1, 0, 0, space.size()};  // chunk x at position x
  Schedule schedule;
  schedule.collective = Collective::all_reduce;
  schedule.algorithm = "nvls";
  schedule.space = space;
  schedule.chunks = space.size();
  schedule.stages = {{"in_switch", 1, {PhaseGroup{StageOrder::rounds, {phase}}}}};
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

std::int64_t multimem_link_bytes(const ExecutionPlan& plan, std::int64_t share) {
  return share * static_cast<std::int64_t>(plan.channels.size()) * (plan.ranks() + 1);
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
  // Of the message, not of the largest share: what is rounded up to lines does not cross.
  load.busiest_bytes = plan.bytes + ceil_div(plan.bytes, plan.ranks());
  load.total_bytes = load.busiest_bytes * load.links;
  load.capacity = Bandwidth(static_cast<std::int64_t>(nvlink->bandwidth.value * bytes_per_gb));
  return load;
}

}  // namespace fabricast
