// The machine that a measurement belongs to: discovered on every process, merged, cut to its ranks.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/harness/executor_choice.hpp"
#include "emulator/base/communicator.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Collective. Host lanes: one rank per usable core, at most the executor's ranks. GPUs: one rank per
// GPU; for the cuda executor in one process the ranks are thread blocks of one GPU, and the title
// says so. UsageError where GPUs are measured that nothing describes, for the samples would be a
// host's.
std::shared_ptr<const Topology> local_machine(const Communicator& communicator,
                                              const ExecutorChoice& choice);

}  // namespace fabricast
