#include "emulator/flow/flow_case.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/thread_seconds.hpp"
#include "emulator/cost/multimem_case.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/cost/table_step_costs.hpp"
#include "emulator/schedule/lowered.hpp"

namespace fabricast {
namespace {

const ChannelClass& class_of(const CollectiveCase& made, std::int32_t channel) {
  for (const ChannelClass& channels : made.channel_classes) {
    if (std::find(channels.channels.begin(), channels.channels.end(), channel) !=
        channels.channels.end()) {
      return channels;
    }
  }
  FABRICAST_ASSERT(false, "every channel is in a class");
  return made.channel_classes.front();
}

}  // namespace

std::vector<FlowProgram> flow_programs(const CollectiveCase& made, const PointSpec& point,
                                       const std::vector<RankId>& selected, std::int64_t start_ps) {
  std::vector<FlowProgram> programs;
  const Protocol protocol = point.protocol;
  for (const ChannelGroup& group : group_channels(made.plan)) {
    std::vector<RankId> ranks;
    for (const std::int32_t rank : group.ranks) {
      ranks.push_back(selected.empty() ? RankId::from(rank)
                                       : selected[static_cast<std::size_t>(rank)]);
    }
    for (const std::int32_t channel : group.channels) {
      const ChannelClass& channels = class_of(made, channel);
      const auto* costs = dynamic_cast<const TableStepCosts*>(channels.costs.get());
      FABRICAST_EXPECT(costs != nullptr, "a case of build_case");
      FlowProgram program;
      program.schedule = group.schedule;
      program.costs = costs;
      program.loops = made.plan.loops;
      program.slices = made.plan.slices;
      program.ranks = ranks;
      program.channel = channel;
      program.start_ps = start_ps;
      if (protocol == Protocol::multimem) {
        program.alike = true;
        program.bytes = [costs, bytes = multimem_link_bytes(made.plan)](int s, int g, int p) {
          return moves_share(costs->work(s, g, p)) ? bytes : 0;
        };
      } else {
        program.bytes = [costs, protocol](int stage, int group_index, int phase) {
          return wire_bytes(protocol, costs->bytes(stage, group_index, phase));
        };
      }
      programs.push_back(std::move(program));
    }
  }
  return programs;
}

LinkRates link_rates(const Topology& topology, const ParameterValues& values,
                     const PointSpec& point, const ExecutionPlan& plan) {
  const MachineCosts costs(topology, values, point.executor, point.protocol, plan);
  LinkRates rates;
  for (std::size_t c = 0; c < topology.link_classes().size(); ++c) {
    rates.usable.push_back(costs.usable(c));
    rates.nominal.push_back(costs.nominal(c));
  }
  return rates;
}

void take_off_padding(const FlowNetwork& network, const CollectiveCase& made,
                      const PointSpec& point, const std::vector<RankId>& selected,
                      std::vector<std::int64_t>& carried) {
  if (point.protocol != Protocol::multimem) return;
  const auto channels = static_cast<std::int64_t>(made.plan.channels.size());
  const std::int64_t padding =
      channels * multimem_link_bytes(made.plan) - multimem_whole_bytes(made.plan);
  const auto rank = [&](std::int32_t position) {
    return selected.empty() ? RankId::from(position) : selected[static_cast<std::size_t>(position)];
  };
  for (std::int32_t r = 0; r < made.plan.ranks(); ++r) {
    // Inside a domain every attempt and channel takes the same links.
    const FlowPath path = network.path(rank(r), rank((r + 1) % made.plan.ranks()), 0);
    for (const Crossing& at : path.span()) carried[at.link] -= padding;
  }
}

std::vector<LinkLoad> carried_loads(const FlowNetwork& network,
                                    const std::vector<std::int64_t>& carried,
                                    const std::vector<Bandwidth>& nominal) {
  std::vector<LinkLoad> by_class(nominal.size());
  for (std::uint32_t link = 0; link < network.links(); ++link) {
    const LinkClassId c = network.link_class(link);
    LinkLoad& load = by_class[c.value()];
    load.link_class = c;
    load.capacity = Bandwidth(nominal[c.value()].value() / network.parts(c));
    if (carried[link] == 0) continue;
    ++load.links;
    load.total_bytes += carried[link];
    load.busiest_bytes = std::max(load.busiest_bytes, carried[link]);
  }
  std::erase_if(by_class, [](const LinkLoad& load) { return load.links == 0; });
  return by_class;
}

SimDuration bound_of(const std::vector<LinkLoad>& loads) {
  SimDuration bound;
  for (const LinkLoad& load : loads) {
    bound = std::max(bound, transfer_time(Bytes(load.busiest_bytes), load.capacity));
  }
  return bound;
}

std::string why_no_flows(const Schedule& schedule, ExecutorKind executor) {
  if (executor == ExecutorKind::cuda) {
    return "runs on the CTAs of one GPU, which share its memory and no link";
  }
  if (executor == ExecutorKind::nccl && has_groups(schedule)) {
    return "sends to all of a group at once, which are no flows between two ranks";
  }
  return "";
}

FlowTime evaluate_flows(std::shared_ptr<const Topology> topology, const ParameterValues& values,
                        const PointSpec& point, const CollectiveCase& made,
                        const FlowChoice& choice, const SlowElements& slow) {
  const double begin = thread_seconds();
  const std::string reason = why_no_flows(*made.plan.channels.front().schedule, point.executor);
  if (!reason.empty()) {
    throw UsageError(fmt::format("{} {}; use --engine sweep", point.algorithm, reason));
  }
  const LinkRates rates = link_rates(*topology, values, point, made.plan);
  const FlowNetwork network(std::move(topology), choice.routing, choice.seed, rates.usable);
  auto programs = flow_programs(made, point);
  const auto channel_of = [&](std::size_t program) { return programs[program].channel; };
  ScheduleFlows flows(network, programs);
  auto capacities = network.capacities();
  for (std::uint32_t link = 0; slow.any_link() && link < network.links(); ++link) {
    const double factor = slow.link_factor(network.origin(link));
    capacities[link] = static_cast<FlowRate>(static_cast<double>(capacities[link]) / factor);
  }
  FlowSimulator simulator(std::move(capacities));
  flows.run(simulator);
  const auto slowest = static_cast<std::size_t>(
      std::max_element(flows.ends().begin(), flows.ends().end()) - flows.ends().begin());
  FlowTime result;
  result.time = made.launch + SimDuration(flows.ends()[slowest]);
  result.stages = flows.stages(slowest);
  result.slowest_channel = channel_of(slowest);
  auto carried = simulator.carried_bytes();
  take_off_padding(network, made, point, {}, carried);
  result.loads = carried_loads(network, carried, rates.nominal);
  result.bound = bound_of(result.loads);
  result.stats = simulator.stats();
  result.stats.state_bytes += flows.state_bytes();
  result.solver = simulator.solver().stats();
  result.engine_seconds = thread_seconds() - begin;
  return result;
}

bool needs_flows(const CollectiveCase& made) {
  for (const ChannelGroup& group : group_channels(made.plan)) {
    for (const Stage& stage : group.schedule->stages) {
      if (stage_varies(stage)) return true;
    }
  }
  return false;
}

}  // namespace fabricast
