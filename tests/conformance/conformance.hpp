// The conformance suite, written once: every schedule on an executor, bit-exact against
// kernels/reference. Programs for host, mpi, cuda and nccl run it on theirs.
#pragma once

#include <vector>

#include "emulator/runtime/executor.hpp"
#include "tests/conformance/cases.hpp"

namespace fabricast::conformance {

struct Tally {
  int exact = 0;
  int refused = 0;
};

// Runs the cases. A case must give the exact result, twice, or, where refusal() says so, be refused
// with a UsageError that gives that reason; everything else is a test failure that names the case.
Tally run_cases(Executor& executor, const std::vector<Case>& cases);

// The whole suite for one row: shapes on `spaces`, types, seeded random cases and a large message.
// Fails unless something ran.
void run_row(Executor& executor, const AlgorithmEntry& row, const std::vector<RankSpace>& spaces,
             int random_count);

}  // namespace fabricast::conformance
