// Algorithm files on an executor: hand-written ones and random exports of the catalogue, run on
// data and compared with the reference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/import/file_program.hpp"

namespace fabricast::conformance {

// Textbook and msccl-tools shapes that exist for p ranks, at least 2.
std::vector<std::string> files_of(int p);

// The catalogue on random spaces (of exactly `ranks`, or 1 to -ranks), channels and chunks,
// exported as MSCCL XML; what cannot be said in MSCCL is left out. The same for the same seed.
std::vector<std::string> random_exports(std::int32_t ranks, std::uint64_t seed, int count);

// One to 1,000 elements and none, as the schedule can carry them; several loops; the place the file
// says. Expects bit-exact results; returns the number of runs.
int run_imported(Executor& executor, const ImportedSchedule& imported, std::uint64_t seed);

}  // namespace fabricast::conformance
