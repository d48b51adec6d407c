// Which executor measures here: the best one present, or the one that was asked for.
//
// auto: nccl on two GPUs or more, else cuda on one GPU (CTAs as ranks), else mpi under mpirun with
// two processes or more, else host threads. A machine without a GPU measures its own cores, never
// an interconnect of GPUs; `why` says so and belongs into the first line and into the trace.
// Collective under MPI: every process calls it and gets the same kind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulator/base/communicator.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {

struct ExecutorChoice {
  ExecutorKind kind{};
  std::unique_ptr<Executor> executor;
  std::string why;        // "asked for", or what auto found
  bool fallback = false;  // auto found no GPU to measure with
};

// Host lanes, not GPUs.
inline bool measures_cores(ExecutorKind kind) {
  return kind == ExecutorKind::host || kind == ExecutorKind::mpi;
}

// `wanted` is "auto" or an executor's name. `ranks` 0 lets the executor decide. Throws UsageError
// for an unknown name, options of nccl for another executor, or ranks the executor cannot have
// here; RuntimeError when it is unavailable. `multimem`: of cuda, the one that reduces in the
// switch.
ExecutorChoice choose_executor(const std::string& wanted, const Communicator& communicator,
                               std::int32_t ranks, const NcclOptions& nccl = {},
                               bool multimem = false);

}  // namespace fabricast
