// Which GPU of its host each process of a run drives.
//
// In the order of processes, each takes the first GPU it sees that is still free; GPUs are told
// apart by host and PCI address. Collective: every process sees everybody's situation and comes to
// the same verdict, so a problem has the same text on all. Time linear in visible GPUs of all
// processes, but for a logarithm.
#pragma once

#include <string>

#include "emulator/base/communicator.hpp"

namespace fabricast {

struct GpuAssignment {
  int device = 0;       // CUDA's number of it in this process
  std::string problem;  // why it cannot be, naming the process; empty: it can
};

// Each process a GPU of its own.
GpuAssignment assign_gpu(const Communicator& processes);

// Processes take turns over the GPUs they see.
GpuAssignment assign_shared_gpu(const Communicator& processes);

}  // namespace fabricast
