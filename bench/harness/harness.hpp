// Measuring collectives honestly: warm-up over all sizes, per-iteration samples, a statistical
// stopping rule with floor and ceiling, the environment recorded, lanes never timed beyond cores.
// What is done, and why, in words: docs/measuring.md.
//
// Output is a SampleSet, the only thing calibration sees. Single-threaded driver; under MPI every
// process calls with the same arguments and its communicator in the options, rank 0 decides (when
// to stop, what the budget admits) and all follow.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/disturbance.hpp"
#include "bench/harness/stopping_rule.hpp"
#include "bench/harness/sweep_sizes.hpp"
#include "emulator/base/error.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"

namespace fabricast {

struct MeasureOptions {
  std::vector<Collective> collectives;
  std::vector<std::string> algorithms;  // empty, and no files: every algorithm that applies
  AlgorithmFiles files;                 // besides those; each for its own collective and ranks
  std::int64_t min_bytes = 8;
  std::int64_t max_bytes = 64 << 20;
  double factor = 2;           // nccl-tests -f
  std::int64_t increment = 0;  // nccl-tests -i; above 0 it replaces the factor
  std::int32_t channels = 1;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  // Protocols of cuda, or of host with check_only, whose model has none; empty: simple.
  std::vector<HandOff> hand_offs;
  bool in_place = false;
  bool check = true;                  // verify data once per size; a mismatch is CheckError
  // NCCL's alone: buffers in symmetric windows, operations launched as CUDA graphs. Their samples
  // belong to suites of their own (suite_of), which nothing fits.
  bool symmetric = false, graph = false;
  bool peers = false;                 // cuda on several GPUs: a suite of its own as well
  bool multimem = false;              // of these, reduced in the switch: another suite
  bool check_only = false;            // verify, time nothing: allowed beyond the cores
  std::int32_t warmup = 1;            // nccl-tests -w; over all sizes
  std::int32_t iterations = 0;        // nccl-tests -n; 0 = the stopping rule decides
  double max_seconds_per_size = 0.5;  // ceiling of the stopping rule
  double budget_seconds = 0;          // whole sweep; 0 = none. Never cuts below the floor
  // Ranks by domain, when the machine is known to have several; empty (size 1): one domain.
  RankSpace space;
  MedianErrorParameters stopping;
  DisturbanceRule disturbance;
  const Communicator* communicator = nullptr;  // null: this process alone
};

// What became of one condition of the sweep.
struct CaseReport {
  Conditions conditions;
  std::int64_t wrong = -1;  // wrong elements; -1: not checked
  int iterations = 0;       // timed, discarded ones included
  int discarded = 0;
  std::string stop_reason;  // of the stopping rule; "check_only"; "skipped";
                            // "resumed": measured by an earlier process of this run
  std::optional<LibraryChoice> choice;  // of an executor that has one
  std::string skipped;      // why it was not measured; empty if it was
};

struct MeasureReport {
  SampleSet samples;
  std::vector<CaseReport> cases;   // in the order of SampleSet::conditions, then the skipped
  std::vector<std::string> notes;  // for people: what was skipped and why
};

// The executor may not time here: more lanes than cores (RunVerdict's reason). Nothing is wrong
// with what was asked for, so a caller that can do without samples may go on.
class TimingRefused : public UsageError {
 public:
  using UsageError::UsageError;
};

using MeasureProgress = std::function<void(int done, int total)>;

// What rank 0 does with a sweep while it runs; other processes' are never called. Conditions are
// numbered as in SampleSet::conditions of an undisturbed sweep. What a function throws, every process
// throws (AgreedError).
struct MeasureSink {
  // Samples from an earlier process of this run, which are not taken again; nullptr: none.
  std::function<const std::vector<Sample>*(const Conditions&)> known;
  // The samples of one condition, as soon as they are complete.
  std::function<void(std::size_t condition, const SampleSet& samples)> measured;
  // A signal asked to stop; must throw.
  std::function<void()> stop;
};

// Runs the sweep. `progress` may be empty. Throws CheckError on wrong data (after all sizes of the
// check have run), UsageError when nothing is left to run, TimingRefused when the executor refuses
// to time. All are thrown by every process alike; other errors may be one-sided.
MeasureReport measure_sweep(Executor& executor, ExecutorKind kind, const std::string& machine,
                            const MeasureOptions& options, const MeasureProgress& progress = {},
                            const MeasureSink& sink = {});

// What measure_sweep would refuse at once, without running anything: throws the same UsageErrors.
void check_sweep(const Executor& executor, ExecutorKind kind, const std::string& machine,
                 const MeasureOptions& options);

// The samples alone; the notes go to the log as warnings.
SampleSet measure_collectives(Executor& executor, ExecutorKind kind, const std::string& machine,
                              const MeasureOptions& options, const MeasureProgress& progress = {},
                              const MeasureSink& sink = {});

}  // namespace fabricast
