// The machine that a measurement belongs to: discovered on every process, merged, cut to its ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/harness/executor_choice.hpp"
#include "emulator/base/communicator.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Collective. Host lanes: one rank per usable core, at most the executor's ranks. GPUs: one rank
// per GPU; for the cuda executor in one process the ranks are thread blocks of one GPU, and the
// title says so. UsageError where GPUs are measured that nothing describes, for the samples would
// be a host's; with `in_switch` (multimem) also where NVLinks are not known, for they would be of
// PCIe.
std::shared_ptr<const Topology> local_machine(const Communicator& communicator,
                                              const ExecutorChoice& choice, bool in_switch = false);

// What that says of machines with several GPUs whose NVLinks are not known: a warning, or with
// `in_switch` a UsageError. Each process may see one GPU of its host's several.
void judge_unknown_links(const std::vector<LocalMachine>& processes, bool in_switch);

}  // namespace fabricast
