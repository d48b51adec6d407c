#include "emulator/flow/flow_case.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/cost/table_step_costs.hpp"
#include "emulator/flow/schedule_flows.hpp"

namespace fabricast {
namespace {

double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

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

std::vector<FlowProgram> programs_of(const CollectiveCase& made, Protocol protocol) {
  std::vector<FlowProgram> programs;
  for (const ChannelGroup& group : group_channels(made.plan)) {
    std::vector<RankId> ranks;
    for (const std::int32_t rank : group.ranks) ranks.push_back(RankId::from(rank));
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
      program.bytes = [costs, protocol](int stage, int group_index, int phase) {
        return wire_bytes(protocol, costs->bytes(stage, group_index, phase));
      };
      programs.push_back(std::move(program));
    }
  }
  return programs;
}

}  // namespace

FlowTime evaluate_flows(std::shared_ptr<const Topology> topology, const ParameterValues& values,
                        const PointSpec& point, const CollectiveCase& made,
                        const FlowChoice& choice) {
  if (point.executor == ExecutorKind::cuda) {
    throw UsageError("the CTAs of one GPU share its memory, not links; use the sweep");
  }
  const double begin = thread_seconds();
  const MachineCosts costs(*topology, values, point.executor, point.protocol, made.plan);
  std::vector<Bandwidth> usable;
  for (std::size_t c = 0; c < topology->link_classes().size(); ++c) {
    usable.push_back(costs.usable(c));
  }
  const FlowNetwork network(std::move(topology), choice.routing, choice.seed, std::move(usable));
  ScheduleFlows flows(network, programs_of(made, point.protocol));
  FlowSimulator simulator(network.capacities());
  flows.run(simulator);
  FlowTime result;
  result.time =
      made.launch + SimDuration(*std::max_element(flows.ends().begin(), flows.ends().end()));
  result.stats = simulator.stats();
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
