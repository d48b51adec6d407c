// Ranks as MPI processes, connections as MPI messages.
//
// Every process must call prepare, run and check together (they contain barriers). Processes beyond
// the plan's ranks sit out. A stall on any process becomes the same RuntimeError on all of them.
#pragma once

#include <functional>
#include <memory>

#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {

struct MpiOptions {
  double stall_limit_seconds = 30;  // no progress of this process's lanes for so long is an error
  // Applied to every compiled plan: fault injection in tests.
  std::function<void(CompiledPlan&)> edit_program;
};

// Collective.
std::unique_ptr<Executor> make_mpi_executor(Communicator communicator, const MpiOptions& options);

}  // namespace fabricast
