// The conformance suite, written once: every schedule on an executor, bit-exact against
// kernels/reference. Programs for host, mpi, cuda and nccl run it on theirs.
//
// To look further than every day's run does, or less far on a slow device, in the environment:
// FABRICAST_CONFORMANCE_SEED draws other random cases, FABRICAST_CONFORMANCE_CASES so many per row,
// FABRICAST_CONFORMANCE_RANKS on up to so many ranks (host: threads, default 16). A failure prints
// its case.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/runtime/executor.hpp"
#include "tests/conformance/cases.hpp"

namespace fabricast::conformance {

// The number in an environment variable.
std::int64_t from_environment(const char* name, std::int64_t otherwise);

struct Tally {
  int exact = 0;
  int refused = 0;
  int too_large = 0;  // for the executor, which said so (more lanes than fit on a GPU together)
};

// Runs the cases. A case must give the exact result, twice, or, where refusal() says so, be refused
// with a UsageError that gives that reason; everything else is a test failure that names the case.
Tally run_cases(Executor& executor, const std::vector<Case>& cases,
                HandOff hand_off = HandOff::simple);

// The whole suite for one row: shapes on `spaces`, types, seeded random cases and a large message.
// Fails unless something ran.
void run_row(Executor& executor, const AlgorithmEntry& row, const std::vector<RankSpace>& spaces,
             int random_count, HandOff hand_off = HandOff::simple);

}  // namespace fabricast::conformance
