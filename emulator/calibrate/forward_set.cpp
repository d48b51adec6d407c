#include "emulator/calibrate/forward_set.hpp"

#include "topologies/model/machine_file.hpp"

namespace fabricast {

ForwardSet::ForwardSet(const Topology& topology)
    : whole_(std::shared_ptr<const Topology>(), &topology) {}

Forward& ForwardSet::of(std::int32_t ranks) {
  Cut& cut = cuts_[ranks];
  if (!cut.forward) {
    cut.topology = with_ranks(whole_, ranks);
    cut.forward = std::make_unique<Forward>(*cut.topology);
  }
  return *cut.forward;
}

void resolve_choice(Forward& forward, const ParameterValues& values, Observation& observation) {
  SimDuration least = SimDuration::max();
  PointSpec best = observation.point;
  const Conditions& asked = observation.conditions;
  for (const std::string& algorithm : algorithms_of(asked.collective)) {
    // The library has no hierarchical algorithm: that one is ours.
    if (algorithm == "hierarchical" ||
        (asked.algorithm != "nccl" && asked.algorithm != algorithm)) {
      continue;
    }
    if (!algorithm_applies(algorithm, asked.collective, forward.topology().space())) continue;
    for (const Protocol protocol : protocols_of(asked.executor, asked.collective)) {
      if (asked.protocol != "auto" && asked.protocol != to_string(protocol)) continue;
      PointSpec candidate = observation.point;
      candidate.algorithm = algorithm;
      candidate.protocol = protocol;
      const SimDuration time = forward.time(values, candidate);
      if (time < least) {
        least = time;
        best = candidate;
      }
    }
  }
  observation.point = best;
}

}  // namespace fabricast
