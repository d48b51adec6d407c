// The lines that nccl-tests writes before its table: versions, options, devices.
//
// Layouts: NVIDIA/nccl-tests src/common.cu and src/util.cu, 1.x to 2.18. Pure functions; linear in
// the line.
#pragma once

#include <optional>
#include <string_view>

#include "emulator/profile/nccl_tests_run.hpp"

namespace fabricast {

// "#  Rank  0 Group  0 Pid  12 on  host device  0 [0x07] NVIDIA H100"; 1.x has no Pid.
std::optional<NcclTestsDevice> device_of(std::string_view line);
// "# nccl-tests version 2.17.1 nccl-headers=22706 nccl-library=22706"; of AMD's "# rccl-tests
// version ..." and, older, "rccl-tests: Version develop:ae3e635".
void read_versions(std::string_view line, NcclTestsRun& run);
// "# nThread 1 nGpus 8 ... warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 0";
// older ones of AMD "# nThreads: 1 nGpus: 2 ... warmupIters: 5 iters: 20 validation: 1".
void read_options(std::string_view line, NcclTestsRun& run);

}  // namespace fabricast
