// Every algorithm of the catalogue against what its links can carry: no prediction of the sweep is
// shorter than the busiest link needs for its bytes, and the flow engine, which shares links as
// messages come and go, is near it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/flow/flow_case.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Bytes of the busiest link over what the protocol can have of it, in ps.
double busy_ps(const CollectiveCase& made, const LinkRates& rates) {
  double most = 0;
  for (const LinkLoad& load : made.loads) {
    const auto rate = static_cast<double>(rates.usable[load.link_class.value()].value());
    most = std::max(most, static_cast<double>(load.busiest_bytes) * 1e12 / rate);
  }
  return most;
}

// Shares are static: what a lane does not use nobody else has, so the sweep may be late, in trees
// most of all, whose ranks have unlike loads. It may be early where the peers of a stage change and
// links are shared as in its busiest repetition: the rounds of an exchange that holds its links
// unevenly drift apart in the flow engine.
constexpr double sweep_over_flow = 3.5;
constexpr double flow_over_sweep = 2;

void check(const std::shared_ptr<const Topology>& machine, const AlgorithmEntry& entry,
           Protocol protocol, std::int64_t bytes) {
  PointSpec point;
  point.collective = entry.collective;
  point.algorithm = entry.name;
  point.protocol = protocol;
  point.bytes = bytes;
  SCOPED_TRACE(machine->name() + " " + std::string(to_string(entry.collective)) + " " + entry.name +
               " " + std::string(to_string(protocol)) + " " + std::to_string(bytes));
  const auto values = values_of(prior_profile(*machine, point.executor));
  const CollectiveCase made = build_case(*machine, values, point);
  const auto sweep = static_cast<double>(evaluate_case(made, {}).time.value());
  EXPECT_GE(sweep, static_cast<double>(made.bandwidth_bound.value()));
  EXPECT_GE(sweep, busy_ps(made, link_rates(*machine, values, point, made.plan)));
  // Lines are taken up before the message is whole, which the flow engine does not say.
  const Schedule& schedule = *made.plan.channels.front().schedule;
  const bool too_many = machine->ranks() > 40;  // messages, for a test
  if (too_many || protocol != Protocol::simple) return;
  if (!why_no_flows(schedule, point.executor).empty()) return;
  const auto flow = static_cast<double>(evaluate_flows(machine, values, point, made).time.value());
  EXPECT_LE(sweep / flow, sweep_over_flow);
  EXPECT_LE(flow / sweep, flow_over_sweep);
}

TEST(LinkLaws, HoldForEveryAlgorithm) {
  for (const char* name :
       {"hgx-h100x4", "gb200-nvl36", "gb200-nvl72x2", "dgx-1-v100", "rtx4090-pcie"}) {
    const auto machine = load_machine(name);
    for (const AlgorithmEntry& entry : algorithm_catalogue()) {
      if (!why_not_offered(*machine, ExecutorKind::nccl, entry.collective, entry.name).empty()) {
        continue;
      }
      for (const Protocol protocol :
           protocols_of(ExecutorKind::nccl, entry.collective, entry.name)) {
        for (const std::int64_t bytes :
             {std::int64_t{1} << 16, std::int64_t{1} << 24, std::int64_t{1} << 30}) {
          check(machine, entry, protocol, bytes);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fabricast
