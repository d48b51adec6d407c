// One rank's part of a collective, as NCCL's host interface spells it.
//
// all_to_all and send_recv are groups of sends and receives, as in nccl-tests; gather and scatter
// NCCL's own functions (2.28) or, in older libraries, the same sends and receives.
#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include <cstddef>

#include "emulator/runtime/executor.hpp"

namespace fabricast {

// `base`: the rank's allocation (rank_buffers). Called between ncclGroupStart and ncclGroupEnd.
ncclResult_t enqueue_collective(const RunRequest& request, std::int32_t rank,
                                ncclComm_t communicator, cudaStream_t stream, std::byte* base);

// Does NCCL's model know it? It has no estimate of sends and receives.
bool has_nccl_estimate(Collective collective);

}  // namespace fabricast
