#include "emulator/cost/case_builder.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/multimem_case.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/cost/slow_step_costs.hpp"
#include "emulator/cost/table_step_costs.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/lowered.hpp"

namespace fabricast {
namespace {

PlanLimits limits_of(const Topology& topology, const PointSpec& point) {
  if (point.schedule) return file_limits(point.executor, point.protocol);
  PlanLimits limits =
      plan_limits(point.executor, point.collective, point.algorithm, point.protocol,
                  topology.space(), point.bytes,
                  point.channels > 0 ? point.channels
                                     : usual_channels(topology, point.executor, point.algorithm));
  limits.ring_orders = topology.ring_orders();
  // Asked for: exactly that many.
  if (point.channels > 0) limits.channels = point.channels;
  if (point.max_slices > 0) limits.max_slices = std::min(limits.max_slices, point.max_slices);
  return limits;
}

// Other executors than nccl send to each member of a group.
void lower(ExecutionPlan& plan) {
  if (!has_groups(*plan.channels.front().schedule)) return;
  std::map<const Schedule*, std::shared_ptr<const Schedule>> parts;  // two trees are two schedules
  for (ChannelPlan& channel : plan.channels) {
    auto& lower = parts[channel.schedule.get()];
    if (!lower) lower = std::make_shared<const Schedule>(lowered(*channel.schedule));
  }
  for (ChannelPlan& channel : plan.channels) channel.schedule = parts[channel.schedule.get()];
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

// Of every point, with an algorithm of a file or of the catalogue.
void require_possible(const Topology& topology, const PointSpec& point) {
  if (const std::string why = why_no_executor(topology, point.executor); !why.empty()) {
    throw UsageError(fmt::format("executor {} {} use another one", to_string(point.executor), why));
  }
  const std::string why = why_no_protocol(topology, point.executor, point.protocol);
  if (!why.empty()) {
    throw UsageError(fmt::format("protocol {} {} use another one", to_string(point.protocol), why));
  }
  const bool in_switch =
      !point.schedule && point.algorithm == "nvls" && point.collective == Collective::all_reduce;
  if (point.protocol == Protocol::multimem && !in_switch) {
    throw UsageError(fmt::format(
        "protocol multimem has no {} by \"{}\" (it is the all_reduce that the switch does by "
        "itself, algorithm nvls) use another one",
        to_string(point.collective), point.algorithm));
  }
}

void require_offered(const Topology& topology, const PointSpec& point) {
  const AlgorithmEntry* algorithm = find_algorithm(point.algorithm, point.collective);
  if (algorithm != nullptr) {  // make_plan says what is wrong with unknown ones
    const std::string reason =
        why_not_offered(topology, point.executor, point.collective, point.algorithm);
    if (!reason.empty()) {
      throw UsageError(fmt::format("algorithm \"{}\" {} use another one", point.algorithm, reason));
    }
  }
}

}  // namespace

ExecutionPlan plan_for(const Topology& topology, const PointSpec& point) {
  const PlanLimits limits = limits_of(topology, point);
  if (point.protocol == Protocol::multimem) return multimem_plan(topology, point, limits.channels);
  ExecutionPlan plan;
  if (point.schedule) {
    if (point.schedule->positions() != topology.ranks()) {
      throw UsageError(fmt::format(
          "algorithm \"{}\" is for {} ranks (machine \"{}\" has {}) choose a machine of as many, "
          "or --ranks {}",
          point.algorithm, point.schedule->positions(), topology.name(), topology.ranks(),
          point.schedule->positions()));
    }
    plan = plan_of(point.schedule, point.bytes, point.element_bytes, limits);
    plan.space = topology.space();  // ranks in order
  } else {
    plan = make_plan(point.collective, point.algorithm, topology.space(), point.bytes,
                     point.element_bytes, limits);
  }
  if (point.executor != ExecutorKind::nccl) lower(plan);
  return plan;
}

const CaseBuilder::Entry& CaseBuilder::entry_for(const PointSpec& point) {
  const PlanLimits limits = limits_of(topology_, point);
  const Key key{point.executor, point.collective, point.algorithm, limits.channels,
                point.schedule.get()};
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.point == point) return found->second;
  require_possible(topology_, point);
  if (!point.schedule) require_offered(topology_, point);
  ExecutionPlan plan = plan_for(topology_, point);
  if (slots_ > 0) set_slots(plan);
  Entry& entry = entries_[key];
  constexpr std::size_t most_maps = 4;
  auto map = std::find_if(entry.maps.begin(), entry.maps.end(),
                          [&](const auto& known) { return known->matches(plan); });
  if (map == entry.maps.end()) {
    auto fresh =
        std::make_shared<const TrafficMap>(topology_, plan, point.executor == ExecutorKind::cuda);
    if (entry.maps.size() == most_maps) entry.maps.pop_back();
    map = entry.maps.insert(entry.maps.end(), std::move(fresh));
  }
  std::rotate(entry.maps.begin(), map, map + 1);
  entry.map = entry.maps.front();
  entry.traffic = entry.map->traffic(plan);
  entry.plan = std::move(plan);
  entry.point = point;
  return entry;
}

// Channels that shared a schedule share the changed one.
void CaseBuilder::set_slots(ExecutionPlan& plan) const {
  std::map<const Schedule*, std::shared_ptr<const Schedule>> changed;
  for (ChannelPlan& channel : plan.channels) {
    auto& schedule = changed[channel.schedule.get()];
    if (!schedule) {
      auto copy = std::make_shared<Schedule>(*channel.schedule);
      copy->fifo_depth = slots_;
      schedule = std::move(copy);
    }
    channel.schedule = schedule;
  }
}

void CaseBuilder::add_slow_classes(const Entry& entry, std::size_t traffic_class,
                                   const MachineCosts& costs, CollectiveCase& made) const {
  std::map<std::vector<std::int32_t>, std::vector<std::int32_t>> channels_by_ranks;
  for (const std::int32_t channel : entry.map->channels()[traffic_class].channels) {
    const ChannelPlan& plan = entry.plan.channels[static_cast<std::size_t>(channel)];
    std::vector<std::int32_t> ranks;
    for (std::int32_t x = 0; x < plan.schedule->positions(); ++x) {
      ranks.push_back(plan.placement.rank_at(x));
    }
    channels_by_ranks[std::move(ranks)].push_back(channel);
  }
  for (const auto& [ranks, channels] : channels_by_ranks) {
    const auto& front = entry.plan.channels[static_cast<std::size_t>(channels.front())];
    made.channel_classes.push_back(
        {channels.front(), channels,
         std::make_shared<const SlowStepCosts>(entry.map, traffic_class, costs, front.schedule,
                                               entry.plan.slice_bytes, topology_, slow_, ranks)});
  }
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
    if (slow_.any()) {
      add_slow_classes(entry, c, costs, made);
      continue;
    }
    const ChannelTraffic& traffic = entry.map->channels()[c];
    const std::int32_t front = traffic.channels.front();
    const Schedule& schedule = *entry.plan.channels[static_cast<std::size_t>(front)].schedule;
    made.channel_classes.push_back({front, traffic.channels,
                                    std::make_shared<const TableStepCosts>(
                                        entry.map, c, costs, schedule, entry.plan.slice_bytes)});
  }
  // Every message is charged as the largest of its kind, so the loads are too.
  const std::int64_t chunk =
      wire_bytes(point.protocol, entry.plan.slice_bytes) * entry.plan.slices * entry.plan.loops;
  made.loads = point.protocol == Protocol::multimem
                   ? std::vector{multimem_load(topology_, entry.plan)}
                   : loads_of(entry.traffic, costs, chunk);
  for (const LinkLoad& load : made.loads) {
    made.bandwidth_bound =
        std::max(made.bandwidth_bound, transfer_time(Bytes(load.busiest_bytes), load.capacity));
  }
  return made;
}

EvaluationKey evaluation_key(const CollectiveCase& made, std::size_t channel_class) {
  const ChannelClass& channels = made.channel_classes[channel_class];
  const auto* costs = dynamic_cast<const TableStepCosts*>(channels.costs.get());
  FABRICAST_EXPECT(costs != nullptr, "costs of a case builder");
  const auto front = static_cast<std::size_t>(channels.representative);
  const Schedule& schedule = *made.plan.channels[front].schedule;
  std::uint64_t shape = 0;
  const auto add = [&shape](std::int64_t value) {
    shape = mix64(shape ^ static_cast<std::uint64_t>(value));
  };
  add(made.plan.loops);
  add(made.plan.slices);
  add(schedule.fifo_depth);
  for (const Stage& stage : schedule.stages) add(stage.repeat);
  const auto words = costs->fingerprint();
  return {costs->traffic(), channel_class, {words[0], words[1], shape}};
}

SimDuration occupancy_bound(const CollectiveCase& made) {
  std::int64_t most = 0;
  for (const ChannelClass& channels : made.channel_classes) {
    const auto front = static_cast<std::size_t>(channels.representative);
    const Schedule& schedule = *made.plan.channels[front].schedule;
    const auto positions = static_cast<std::size_t>(schedule.positions());
    std::vector<std::int64_t> lane(positions), port(positions), latency(positions),
        credit(positions);
    const auto roles = static_cast<std::size_t>(schedule.roles);
    std::vector<std::int64_t> busy(2 * roles * positions, 0);
    for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
      const Stage& stage = schedule.stages[s];
      if (stage_varies(stage)) continue;  // costs differ from repetition to repetition
      const std::int64_t times =
          static_cast<std::int64_t>(stage.repeat) * made.plan.loops * made.plan.slices;
      for (std::size_t g = 0; g < stage.groups.size(); ++g) {
        for (std::size_t p = 0; p < stage.groups[g].phases.size(); ++p) {
          channels.costs->fill(static_cast<int>(s), static_cast<int>(g), static_cast<int>(p), 0,
                               {lane, port, latency, credit});
          const std::size_t role = stage.groups[g].phases[p].role;
          std::int64_t* sums = busy.data() + 2 * role * positions;
          for (std::size_t x = 0; x < positions; ++x) {
            sums[x] += times * lane[x];
            sums[positions + x] += times * port[x];
          }
        }
      }
    }
    most = std::max(most, *std::max_element(busy.begin(), busy.end()));
  }
  return made.launch + SimDuration(most);
}

}  // namespace fabricast
