// Measuring collectives honestly: warm-up over all sizes, per-iteration samples, a statistical
// stopping rule with floor and ceiling, the environment recorded, lanes never timed beyond cores.
//
// Output is a SampleSet, the only thing calibration sees. Single-threaded driver.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "emulator/profile/sample.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {

struct MeasureOptions {
  std::vector<Collective> collectives;
  std::vector<std::string> algorithms;     // empty: every algorithm that exists and applies
  std::int64_t min_bytes = 8;
  std::int64_t max_bytes = 64 << 20;
  double factor = 2;                       // nccl-tests -f
  std::int32_t channels = 1;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  bool in_place = false;
  bool check = true;                       // verify data once per size; a mismatch is CheckError
  std::int32_t warmup = 1;                 // nccl-tests -w; over all sizes
  std::int32_t iterations = 0;             // nccl-tests -n; 0 = the stopping rule decides
  double max_seconds_per_size = 0.5;       // ceiling of the stopping rule
  double budget_seconds = 0;               // whole sweep; 0 = none. Never cuts below the floor
};

// Sizes of a sweep: min, min*factor, ... <= max, rounded as nccl-tests does for the collective.
std::vector<std::int64_t> sweep_sizes(std::int64_t min_bytes, std::int64_t max_bytes, double factor);

// Runs the sweep. `progress(done, total)` may be empty. Throws CheckError on wrong data,
// UsageError when the executor refuses to time (the verdict's reason).
SampleSet measure_collectives(Executor& executor, ExecutorKind kind, const std::string& machine,
                              const MeasureOptions& options,
                              const std::function<void(int, int)>& progress = {});

}  // namespace fabricast
