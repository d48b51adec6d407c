// The time of one predicted point by the flow engine: the forward model's case, on shared links.
//
// Takes from the case its plan, lane costs, latencies, credits and launch; the static shares are
// not used. Links have what the parameters say is usable of them, so that a point without
// contention gets the sweep's time (up to the rounding of rates, a few picoseconds per message).
// Pure functions.
#pragma once

#include <memory>

#include "emulator/cost/forward_model.hpp"
#include "emulator/flow/flow_network.hpp"

namespace fabricast {

struct FlowChoice {
  Routing routing = Routing::spray;
  std::uint64_t seed = 0;  // of ecmp
};

struct FlowTime {
  SimDuration time;  // launch + last end
  FlowStats stats;
  MaxMinStats solver;
  double engine_seconds = 0;  // processor time on one core, set-up included
};

// `made` is build_case(topology, values, point). Throws UsageError for plans with groups through a
// switch or declared dependences, and for the cuda executor, whose CTAs share no link.
FlowTime evaluate_flows(std::shared_ptr<const Topology> topology, const ParameterValues& values,
                        const PointSpec& point, const CollectiveCase& made,
                        const FlowChoice& choice = {});

// Are there stages whose peers vary with the repetition (all_to_all, gather, scatter ...)? There
// the sweep's shares are those of the busiest repetition, for all of them; elsewhere every lane
// sends to the same peer all the time, and dividing links among lanes is what sharing them comes
// to.
bool needs_flows(const CollectiveCase& made);

}  // namespace fabricast
