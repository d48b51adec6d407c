// NCCL_ALGO and NCCL_PROTO: which algorithms and protocols a collective may use.
//
// "ring,tree" | "^LL" | "allreduce:tree,ring;allgather:ring" | "ring;allreduce:^tree". Source: NCCL
// 2.28.9 src/graph/tuning.cc (parseList).
#pragma once

#include <array>

#include "emulator/nccl/names.hpp"
#include "emulator/nccl/overrides.hpp"

namespace fabricast::nccl {

struct EnableLists {
  static constexpr int by_default = 2;  // LL128: only where NCCL trusts it

  std::array<std::array<int, algorithm_count>, function_count> algorithms{};
  std::array<std::array<int, protocol_count>, function_count> protocols{};
};

// UsageError for a name that NCCL does not know.
EnableLists enable_lists(const Overrides& overrides);

}  // namespace fabricast::nccl
