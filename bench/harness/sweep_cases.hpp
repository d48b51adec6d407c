// The conditions of a sweep: collective x algorithm x protocol x size, each with the plan that runs
// it.
//
// Ordered by collective, algorithm, protocol, size: the order of the result. An algorithm that
// exists but does not apply to a collective or rank space is left out when several were asked for;
// sizes that round to nothing, or to a size already there, are left out with a note. Pure function
// of its arguments, so equal on every process.
#pragma once

#include <string>
#include <vector>

#include "bench/harness/harness.hpp"

namespace fabricast {

struct SweepCase {
  Conditions conditions;
  ExecutionPlan plan;
  HandOff hand_off = HandOff::simple;
};

struct SweepCases {
  std::vector<SweepCase> cases;
  std::vector<std::string> notes;
};

// "collective", or what marks samples of symmetric windows, graphs, the interpreter on several GPUs
// (model peers) and reduction in their switch (peers, too): "collective_symmetric",
// "collective_graph", "collective_symmetric_graph", "collective_peers", "collective_multimem".
std::string suite_of(const MeasureOptions& options);

// Throws UsageError if the executor takes no schedules: nccl.
void refuse_files(const AlgorithmFiles& files, ExecutorKind kind);

// Throws UsageError for an unknown algorithm, a protocol that the executor does not have (host:
// does not time), bad sizes, or when nothing is left.
SweepCases make_sweep_cases(std::int32_t ranks, ExecutorKind kind, const std::string& machine,
                            const MeasureOptions& options);

}  // namespace fabricast
