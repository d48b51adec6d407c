// The conformance suite, written once: every schedule on an executor, bit-exact against
// kernels/reference. Programs for host, mpi, cuda and nccl run it on theirs.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "emulator/runtime/executor.hpp"

namespace fabricast {
// How GoogleTest prints a parameter: "2x3".
void PrintTo(const RankSpace& space, std::ostream* out);
}  // namespace fabricast

namespace fabricast::conformance {

struct Case {
  Collective collective{};
  std::string algorithm;
  RankSpace space;
  std::int64_t elements = 0;  // of the nccl-tests size
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  bool in_place = false;
  PlanLimits limits;
  std::int32_t root = 0;
};
std::string to_string(const Case& c);

inline constexpr Collective all_collectives[] = {Collective::all_reduce, Collective::all_gather,
                                                 Collective::reduce_scatter, Collective::broadcast,
                                                 Collective::all_to_all};

// Every algorithm of the collective that applies to the space, in and out of place, sizes from
// nothing to many loops and slices, one to three channels; types and operators take turns.
std::vector<Case> shape_cases(Collective collective, const RankSpace& space);
// Every type with every operator on a few shapes.
std::vector<Case> type_cases(Collective collective, const RankSpace& space);

// Runs the cases; each mismatch or exception is a test failure that names the case.
// Returns how many ran.
int run_cases(Executor& executor, const std::vector<Case>& cases);

}  // namespace fabricast::conformance
