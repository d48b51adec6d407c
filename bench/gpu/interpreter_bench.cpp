// The interpreter on one GPU against a plain copy: as many CTAs of 512 threads, as many bytes
// moved, over a working set as large, between CUDA events, each behind a gate. The bar is 1.5
// copies for messages that keep the memory busy (docs/gpu.md). Counters of every benchmark:
//
//   copies        its time as a multiple of the copy's: the medians of one run, measured in turn
//   copy_us       the copy's median
//   moved_MB      loaded and stored (bench/harness/moved_bytes.hpp)
//   set_MB        different bytes among them
//
// The copy passes over its buffers again and again in one launch, so its start is not part of its
// time, but of the interpreter's: small messages cost more copies than their data do. Exit codes:
// 0, 1 if one of them failed or had wrong data, 2 usage, 3 without a CUDA device.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/moved_bytes.hpp"
#include "bench/harness/sweep_cases.hpp"
#include "bench/suites/cuda_kernels.hpp"
#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"

namespace {

using namespace fabricast;

constexpr int repetitions = 20;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Subject {
  std::unique_ptr<Executor> executor;
  micro::ReduceCopyBench copy;
  bool failed = false;

  void fail(benchmark::State& state, const std::string& why) {
    failed = true;
    state.SkipWithError(why.c_str());
  }
};

void against_copy(benchmark::State& state, Subject& on, const SweepCase& wanted) {
  const RunRequest request{&wanted.plan, DataType::float32, ReduceOp::sum, false, wanted.hand_off};
  const auto image = compile_plan(request, 0, wanted.plan.ranks()).image;
  const MovedBytes moved = moved_bytes(image);
  const auto ctas = static_cast<std::int32_t>(image.lanes.size());
  // A copy of b bytes loads and stores b, and touches 2 b; whole vectors for every CTA.
  const std::int64_t part = std::int64_t{16} * ctas;
  const std::int64_t copied = std::max(moved.touched / 2 / part, std::int64_t{1}) * part;
  const double passes =
      static_cast<double>(moved.loaded + moved.stored) / (2.0 * static_cast<double>(copied));
  std::vector<double> interpreter, copy;
  try {
    on.executor->prepare(request);
    if (const auto wrong = on.executor->check(); wrong != 0) {
      return on.fail(state, std::to_string(wrong) + " elements are wrong");
    }
    on.copy.once_us(1, ctas, copied);
    for (auto _ : state) {
      interpreter.push_back(on.executor->run() * 1e6);
      copy.push_back(on.copy.once_us(1, ctas, copied) * passes);
      state.SetIterationTime(interpreter.back() * 1e-6);
    }
  } catch (const std::exception& error) {
    return on.fail(state, error.what());
  }
  state.counters["copies"] = median(interpreter) / median(copy);
  state.counters["copy_us"] = median(copy);
  state.counters["moved_MB"] = static_cast<double>(moved.loaded + moved.stored) * 1e-6;
  state.counters["set_MB"] = static_cast<double>(moved.touched) * 1e-6;
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
          name.c_str(), [&on, one](benchmark::State& state) { against_copy(state, on, one); })
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
