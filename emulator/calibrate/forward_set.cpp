#include "emulator/calibrate/forward_set.hpp"

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/cost/offered.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {

namespace {

[[noreturn]] void refuse(const Topology& topology, const Conditions& asked) {
  throw UsageError(fmt::format(
      "samples of {} {}, protocol {}, on {} ranks of {} (the machine's model has no such "
      "algorithm) leave them out, or say in its file what its switches do",
      to_string(asked.collective), asked.algorithm, asked.protocol, asked.ranks, topology.name()));
}

bool is_modeled(const Topology& topology, const PointSpec& point) {
  return why_not_offered(topology, point.executor, point.collective, point.algorithm).empty() &&
         why_no_protocol(topology, point.executor, point.protocol).empty();
}

}  // namespace

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

void resolve_choice(Forward& forward, const ParameterValues& values, const LibraryRule& library,
                    Observation& observation) {
  if (library && observation.conditions.algorithm == "nccl" &&
      observation.conditions.protocol == "auto") {
    const auto chosen = library(forward.topology(), observation.point);
    if (chosen && is_modeled(forward.topology(), *chosen)) {
      observation.point = *chosen;
      return;
    }
  }
  SimDuration least = SimDuration::max();
  PointSpec best = observation.point;
  const Conditions& asked = observation.conditions;
  const ExecutorKind executor = observation.point.executor;  // the model of what measured them
  for (const std::string& algorithm : algorithms_of(asked.collective)) {
    const Topology& topology = forward.topology();
    if (asked.algorithm == "nccl" ? !library_has(topology, asked.collective, algorithm)
                                  : asked.algorithm != algorithm) {
      continue;
    }
    if (!why_not_offered(topology, executor, asked.collective, algorithm).empty()) continue;
    for (const Protocol protocol :
         offered_protocols(topology, executor, asked.collective, algorithm)) {
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
  if (least == SimDuration::max()) refuse(forward.topology(), asked);
  observation.point = best;
}

void expect_offered(const Forward& forward, const Observation& observation) {
  if (!is_modeled(forward.topology(), observation.point)) {
    refuse(forward.topology(), observation.conditions);
  }
}

}  // namespace fabricast
