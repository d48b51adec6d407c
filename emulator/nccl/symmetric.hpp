// Which kernel NCCL runs when both buffers lie in windows registered as symmetric, and its
// estimate.
//
// Such collectives do not meet rings, trees and NVLS: where a symmetric kernel exists NCCL takes
// one without comparing. The kernels load from and store to the other GPUs' buffers directly, of
// one NVLink domain; LL kernels write data and flags to all and reduce locally. Times are us,
// NCCL's own estimates with which it chooses among these kernels. Pure functions, O(64) per kernel.
// Source: NCCL 2.28.9 src/sym_kernels.cc (model, constants, order of the kernels),
// src/scheduler/symmetric_sched.cc. Not modelled: kernels over the network (GIN, 2.28), over TMA
// (2.30, off by default), grouped calls, windows of one buffer only, averages, NCCL_SYM_CTAS and
// NCCL_SYM_KERNEL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/nccl/choice.hpp"

namespace fabricast::nccl {

inline constexpr Version first_symmetric{2, 27, 0};
inline constexpr int symmetric_threads = 512;  // per block

struct SymmetricCandidate {
  std::string_view kernel;        // as NCCL names it, without the collective: "RSxLDMC_AGxSTMC"
  std::optional<double> time_us;  // nothing: cannot be taken
  int blocks = 0;                 // the fewest that are within 2.5 % of the most
  std::string reason;             // why it cannot
};

// Why NCCL takes no symmetric kernel at all, as one clause: "the ranks are in 2 NVLink domains".
// Empty: it takes one.
std::string no_symmetric_kernel(const Communicator& communicator, const Request& request);

// Every kernel of the collective in NCCL's order; empty for collectives that have none.
std::vector<SymmetricCandidate> symmetric_candidates(const Communicator& communicator,
                                                     const Request& request);

// The one that it takes: the least time, blocks counting 2.5 % each. Contract: there is one.
SymmetricCandidate choose_symmetric(const Communicator& communicator, const Request& request);

}  // namespace fabricast::nccl
