// Ranks as threads of this process, connections as FIFOs in shared memory.
//
// One thread per rank; it looks after all lanes (channel, role) of its rank in turn, cooperatively,
// so a plan keeps as many cores busy as it has ranks. The same interpreter as on a GPU.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {

struct HostOptions {
  std::int32_t ranks = 0;           // 0: as many as usable cores
  double stall_limit_seconds = 10;  // no progress of any lane for this long is an error
  bool pin = false;                 // bind rank i to the i-th usable CPU, if there are enough
  // Applied to every compiled plan: fault injection in tests.
  std::function<void(CompiledPlan&)> edit_program;
};

std::unique_ptr<Executor> make_host_executor(const HostOptions& options);

}  // namespace fabricast
