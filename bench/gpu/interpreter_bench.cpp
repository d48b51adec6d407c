// The interpreter on one GPU against plain copies: as many CTAs of 512 threads, between CUDA
// events, each behind a gate. What it moves of buffers and what it moves of slots (read right after
// they were written, mostly in L2) is copied apart, as many bytes over a set as large, and the
// times are added. The bar is 1.5 copies for messages that keep the memory busy (docs/gpu.md).
// Counters:
//
//   copies                      its time as a multiple of the copies': the medians of one run
//   copy_us                     the copies' medians, added
//   moved_MB, set_MB            of buffers: loaded and stored, different bytes among them
//   slot_moved_MB, slot_set_MB  the same of slots (bench/harness/moved_bytes.hpp)
//
// All of its repetitions follow a run that is not timed, then all of each copy's do: sets that fit
// into L2 are there for both. A copy passes over its buffers again and again in one launch, so its
// start is not part of its time, but of the interpreter's: small messages cost more copies than
// their data do. Exit codes: 0, 1 if one of them failed or had wrong data, 2 usage, 3 without a
// CUDA device.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/moved_bytes.hpp"
#include "bench/harness/order_statistics.hpp"
#include "bench/harness/sweep_cases.hpp"
#include "bench/suites/cuda_kernels.hpp"
#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"

namespace {

using namespace fabricast;

constexpr int repetitions = 20;

double median(const std::vector<double>& values) { return median_of_sorted(sorted_copy(values)); }

struct Subject {
  std::unique_ptr<Executor> executor;
  micro::ReduceCopyBench copy;
  bool failed = false;

  void fail(benchmark::State& state, const std::string& why) {
    failed = true;
    state.SkipWithError(why.c_str());
  }
};

// The median us of copying as many bytes as `wanted` over a set as large; 0 where nothing is moved.
double copy_us(micro::ReduceCopyBench& bench, std::int32_t ctas, const Traffic& wanted) {
  if (wanted.moved() == 0) return 0;
  // A copy of b bytes loads and stores b, and touches 2 b; whole vectors for every CTA.
  const std::int64_t part = std::int64_t{16} * ctas;
  const std::int64_t copied = std::max(wanted.touched / 2 / part, std::int64_t{1}) * part;
  const double passes = static_cast<double>(wanted.moved()) / (2.0 * static_cast<double>(copied));
  bench.once_us(1, ctas, copied);
  std::vector<double> us;
  for (int i = 0; i < repetitions; ++i) us.push_back(bench.once_us(1, ctas, copied) * passes);
  return median(us);
}

void against_copies(benchmark::State& state, Subject& on, const SweepCase& wanted) {
  const RunRequest request{&wanted.plan, DataType::float32, ReduceOp::sum, false, wanted.hand_off};
  const auto image = compile_plan(request, 0, wanted.plan.ranks()).image;
  const MovedBytes moved = moved_bytes(image);
  const auto ctas = static_cast<std::int32_t>(image.lanes.size());
  std::vector<double> interpreter;
  double copies = 0;
  try {
    on.executor->prepare(request);
    if (const auto wrong = on.executor->check(); wrong != 0) {
      return on.fail(state, std::to_string(wrong) + " elements are wrong");
    }
    on.executor->run();  // checking reads the results: what is in L2 since is not of a run
    for (auto _ : state) {
      interpreter.push_back(on.executor->run() * 1e6);
      state.SetIterationTime(interpreter.back() * 1e-6);
    }
    for (const Traffic& part : {moved.buffers, moved.slots}) copies += copy_us(on.copy, ctas, part);
  } catch (const std::exception& error) {
    return on.fail(state, error.what());
  }
  const auto megabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) * 1e-6; };
  state.counters["copies"] = median(interpreter) / copies;
  state.counters["copy_us"] = copies;
  state.counters["moved_MB"] = megabytes(moved.buffers.moved());
  state.counters["set_MB"] = megabytes(moved.buffers.touched);
  state.counters["slot_moved_MB"] = megabytes(moved.slots.moved());
  state.counters["slot_set_MB"] = megabytes(moved.slots.touched);
}

void register_cases(Subject& on, const micro::DeviceProbe& device) {
  for (std::int32_t ranks = 2; ranks <= on.executor->max_ranks() && ranks <= 64; ranks *= 2) {
    MeasureOptions options;
    options.collectives = {Collective::all_reduce};
    options.algorithms = {"ring"};
    options.hand_offs = {std::begin(hand_offs), std::end(hand_offs)};
    options.min_bytes = 4 << 10;
    // 1 GiB of inputs, whose results the host checks; with outputs, slots and the copy's buffers
    // (twice the working set) a quarter of the device's memory at most.
    const std::int64_t inputs =
        std::min<std::int64_t>(std::int64_t{1} << 30, device.facts.memory_bytes / 32);
    options.max_bytes = std::min<std::int64_t>(128 << 20, inputs / ranks);
    options.factor = 8;
    for (const SweepCase& one : make_sweep_cases(ranks, ExecutorKind::cuda, "", options).cases) {
      const std::string name = std::string(to_string(one.conditions.collective)) + "/ring/" +
                               std::string(to_string(one.hand_off)) + "/" + std::to_string(ranks) +
                               "/" + std::to_string(one.conditions.bytes);
      benchmark::RegisterBenchmark(
          name.c_str(), [&on, one](benchmark::State& state) { against_copies(state, on, one); })
          ->Iterations(repetitions)
          ->UseManualTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    const auto device = micro::probe();
    if (device.devices == 0) {
      std::fprintf(stderr, "interpreter_bench: %s\n", device.reason.c_str());
      return 3;
    }
    Subject on{make_cuda_executor(0, 0), micro::ReduceCopyBench(micro::open_session())};
    benchmark::AddCustomContext("device", on.executor->description());
    register_cases(on, device);
    benchmark::RunSpecifiedBenchmarks();
    return on.failed ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "interpreter_bench: %s\n", error.what());
    return 3;
  }
}
