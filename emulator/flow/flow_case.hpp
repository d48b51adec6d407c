// The time of one predicted point by the flow engine: the forward model's case, on shared links.
//
// Takes from the case its plan, lane costs, latencies, credits and launch; the static shares are
// not used. Links have what the parameters say is usable of them, so that a point without
// contention gets the sweep's time (up to the rounding of rates, a few picoseconds per message).
// Pure functions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/slow_elements.hpp"
#include "emulator/flow/flow_network.hpp"
#include "emulator/flow/schedule_flows.hpp"

namespace fabricast {

struct FlowTime {
  SimDuration time;               // launch + last end
  std::vector<StageSpan> stages;  // of the channel that ends last, after the launch
  std::int32_t slowest_channel = 0;
  std::vector<LinkLoad> loads;  // what was carried
  SimDuration bound;            // most bytes on one link / its nominal capacity
  FlowStats stats;
  MaxMinStats solver;
  double engine_seconds = 0;  // processor time on one core, set-up included
};

// `made` is a case of `topology`, `values` and `point`; `slow` the elements it was made with.
// Throws UsageError for plans that send to groups (multimem's, whose members are alike, it takes:
// schedule_flows.hpp), and for the cuda executor, whose CTAs share no link.
FlowTime evaluate_flows(std::shared_ptr<const Topology> topology, const ParameterValues& values,
                        const PointSpec& point, const CollectiveCase& made,
                        const FlowChoice& choice = {}, const SlowElements& slow = {});

// The same in parts, for several cases on one machine.
//
// A program per channel; those of rank i run on machine rank `selected[i]` (empty: on i). The case
// must outlive them.
std::vector<FlowProgram> flow_programs(const CollectiveCase& made, const PointSpec& point,
                                       const std::vector<RankId>& selected = {},
                                       std::int64_t start_ps = 0);
// By link class: what messages of the point can have of a link or trunk, and what it is said to be.
struct LinkRates {
  std::vector<Bandwidth> usable, nominal;
};
LinkRates link_rates(const Topology& topology, const ParameterValues& values,
                     const PointSpec& point, const ExecutionPlan& plan);
// Takes off what multimem's flows carry beyond the message: each has the largest share of a CTA,
// for which its time is charged (multimem_case.hpp). Other protocols' bytes stay as they are.
void take_off_padding(const FlowNetwork& network, const CollectiveCase& made,
                      const PointSpec& point, const std::vector<RankId>& selected,
                      std::vector<std::int64_t>& carried);
// Per link class, from the bytes that each link of the network carried.
std::vector<LinkLoad> carried_loads(const FlowNetwork& network,
                                    const std::vector<std::int64_t>& carried,
                                    const std::vector<Bandwidth>& nominal);
SimDuration bound_of(const std::vector<LinkLoad>& loads);

// Why the flow engine cannot evaluate a schedule that `executor` runs, "sends to all of a group
// at once ..."; empty: it can.
std::string why_no_flows(const Schedule& schedule, ExecutorKind executor);

// Are there stages whose peers vary with the repetition (all_to_all, gather, scatter ...)? There
// the sweep's shares are those of the busiest repetition, for all of them; elsewhere every lane
// sends to the same peer all the time, and dividing links among lanes is what sharing them comes
// to.
bool needs_flows(const CollectiveCase& made);

}  // namespace fabricast
