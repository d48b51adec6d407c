#include "emulator/cost/case_builder.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/table_step_costs.hpp"

namespace fabricast {
namespace {

PlanLimits limits_of(const Topology& topology, const PointSpec& point) {
  const auto offered = static_cast<std::int32_t>(topology.channels().value);
  PlanLimits limits = plan_limits(point.executor, point.collective, point.algorithm, point.protocol,
                                  topology.space(), point.bytes,
                                  point.channels > 0 ? point.channels : std::max(1, offered));
  // Asked for: exactly that many.
  if (point.channels > 0) limits.channels = point.channels;
  if (point.max_slices > 0) limits.max_slices = std::min(limits.max_slices, point.max_slices);
  return limits;
}

std::vector<LinkLoad> loads_of(const std::vector<ClassTraffic>& traffic, const MachineCosts& costs,
                               std::int64_t wire_bytes_per_chunk) {
  std::vector<LinkLoad> loads;
  for (std::size_t c = 0; c < traffic.size(); ++c) {
    if (traffic[c].total_chunks == 0) continue;
    loads.push_back({LinkClassId::from(static_cast<std::int64_t>(c)), traffic[c].links,
                     traffic[c].busiest_chunks * wire_bytes_per_chunk,
                     traffic[c].total_chunks * wire_bytes_per_chunk, costs.nominal(c)});
  }
  return loads;
}

}  // namespace

const CaseBuilder::Entry& CaseBuilder::entry_for(const PointSpec& point) {
  const PlanLimits limits = limits_of(topology_, point);
  const Key key{point.executor, point.collective, point.algorithm, limits.channels};
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.point == point) return found->second;
  ExecutionPlan plan = make_plan(point.collective, point.algorithm, topology_.space(), point.bytes,
                                 point.element_bytes, limits);
  Entry& entry = entries_[key];
  if (!entry.map || !entry.map->matches(plan)) {
    entry.map = std::make_shared<const TrafficMap>(topology_, plan,
                                                   point.executor == ExecutorKind::cuda);
  }
  entry.traffic = entry.map->traffic(plan);
  entry.plan = std::move(plan);
  entry.point = point;
  return entry;
}

CollectiveCase CaseBuilder::build(const ParameterValues& values, const PointSpec& point) {
  if (point.bytes < 1) {
    throw UsageError("a collective of no bytes (nothing is sent) ask for at least one byte");
  }
  const Entry& entry = entry_for(point);
  const MachineCosts costs(topology_, values, point.executor, point.protocol, entry.plan);
  CollectiveCase made;
  made.plan = entry.plan;
  made.launch = costs.launch();
  for (std::size_t c = 0; c < entry.map->channels().size(); ++c) {
    const ChannelTraffic& traffic = entry.map->channels()[c];
    const std::int32_t front = traffic.channels.front();
    const Schedule& schedule = *entry.plan.channels[static_cast<std::size_t>(front)].schedule;
    made.channel_classes.push_back(
        {front, traffic.channels,
         std::make_shared<const TableStepCosts>(entry.map, c, costs, schedule,
                                                entry.plan.slice_bytes)});
  }
  // Every message is charged as the largest of its kind, so the loads are too.
  const std::int64_t chunk = wire_bytes(point.protocol, entry.plan.slice_bytes) * entry.plan.slices *
                             entry.plan.loops;
  made.loads = loads_of(entry.traffic, costs, chunk);
  for (const LinkLoad& load : made.loads) {
    made.bandwidth_bound = std::max(made.bandwidth_bound,
                                    transfer_time(Bytes(load.busiest_bytes), load.capacity));
  }
  return made;
}

bool same_step_costs(const CollectiveCase& a, const CollectiveCase& b) {
  if (a.channel_classes.size() != b.channel_classes.size() || a.plan.loops != b.plan.loops ||
      a.plan.slices != b.plan.slices || a.plan.bytes != b.plan.bytes) {
    return false;
  }
  for (std::size_t c = 0; c < a.channel_classes.size(); ++c) {
    const auto* left = dynamic_cast<const TableStepCosts*>(a.channel_classes[c].costs.get());
    const auto* right = dynamic_cast<const TableStepCosts*>(b.channel_classes[c].costs.get());
    if (left == nullptr || right == nullptr || !left->same_as(*right)) return false;
  }
  return true;
}

}  // namespace fabricast
