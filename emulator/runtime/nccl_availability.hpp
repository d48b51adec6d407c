// Can these processes run NCCL? (executor.hpp declares what does not need them to agree.)
#pragma once

#include <string>

#include "emulator/base/communicator.hpp"

namespace fabricast {

// Why NCCL or a GPU is missing, by the first process that lacks one; empty: all have both.
// Collective, the same text on every process.
std::string nccl_missing_somewhere(const Communicator& processes);

}  // namespace fabricast
