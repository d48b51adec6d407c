// Google Benchmark of the engines. Counters: updates/s (max-plus steps per second of engine time),
// bytes_per_rank (state over positions), classes.
#include <benchmark/benchmark.h>

#include <ctime>
#include <string>
#include <vector>

#include "bench/engine/synthetic_costs.hpp"
#include "emulator/base/heap.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/jitter_sweep.hpp"
#include "emulator/sim/sweep.hpp"

namespace {

using namespace fabricast;

void run(benchmark::State& state, const Schedule& schedule, std::int32_t period,
         const SweepOptions& options) {
  const SyntheticCosts costs(schedule, period);
  double updates = 0;
  double seconds = 0;
  for (auto _ : state) {
    const SweepResult result = sweep(schedule, costs, options);
    benchmark::DoNotOptimize(result.makespan);
    state.SetIterationTime(result.engine_seconds);
    updates += static_cast<double>(result.updates);
    seconds += result.engine_seconds;
    state.counters["bytes_per_rank"] =
        static_cast<double>(result.state_bytes) / static_cast<double>(schedule.positions());
    state.counters["classes"] = result.classes;
  }
  if (seconds > 0) state.counters["updates/s"] = updates / seconds;
}

// The reference case: 10,080 positions, one channel, one slice, nothing folded.
void ring_10080_unfolded(benchmark::State& state, InstructionSet set) {
  SweepOptions options;
  options.fold = false;
  options.instruction_set = to_string(set);
  run(state, ring_all_reduce({72, 140}), 0, options);
}

void ring_10080_two_slices(benchmark::State& state) {
  SweepOptions options;
  options.fold = false;
  options.slices = 2;
  run(state, ring_all_reduce({72, 140}), 0, options);
}

// A pass of 512 rounds at any size; a whole all-reduce would grow with the square of the ranks.
void ring_rounds(benchmark::State& state) {
  Schedule schedule = ring_all_reduce({static_cast<std::int32_t>(state.range(0))});
  for (Stage& stage : schedule.stages) {
    if (stage.repeat > 256) stage.repeat = 256;
  }
  SweepOptions options;
  options.fold = false;
  run(state, schedule, 0, options);
}

void ring_10080_folded(benchmark::State& state) { run(state, ring_all_reduce({72, 140}), 72, {}); }

void hierarchical_10080_folded(benchmark::State& state) {
  run(state, hierarchical_all_reduce({72, 140}), 72, {});
}

void tree_10080(benchmark::State& state) {
  SweepOptions options;
  options.jump = state.range(1) != 0;
  run(state, tree_all_reduce({72, 140}, static_cast<std::int32_t>(state.range(0)), false), 0,
      options);
}

// What a large message makes of it: a hundred loops, of which most are alike.
void halving_doubling_10080(benchmark::State& state) {
  SweepOptions options;
  options.loops = 100;
  options.jump = state.range(0) != 0;
  run(state, halving_doubling_all_reduce({72, 140}), 0, options);
}

void pat_10080(benchmark::State& state, std::int32_t period) {
  run(state, pat_all_gather({72, 140}), period, {});
}

void in_switch_10080(benchmark::State& state, std::int32_t period) {
  run(state, in_switch_all_reduce({72, 140}), period, {});
}

void grouped_all_to_all_10080(benchmark::State& state) {
  run(state, grouped_all_to_all({72, 140}), 0, {});
}

void all_to_all(benchmark::State& state) {
  run(state, pairwise_all_to_all({static_cast<std::int32_t>(state.range(0))}), 0, {});
}

double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// jitter ensemble: 256 members of a 10,080-rank double tree, 64 chunks: both trees are a channel
// each, with half of the members' chunks.
void jitter_tree_10080(benchmark::State& state, InstructionSet set) {
  const Schedule first = tree_all_reduce({72, 140}, 32, false);
  const Schedule second = tree_all_reduce({72, 140}, 32, true);
  const auto members = static_cast<std::int64_t>(state.range(0));
  const FactorTable table(jitter_from("lognormal:0.1"));
  double updates = 0, seconds = 0;
  for (auto _ : state) {
    const double begin = thread_seconds();
    for (const Schedule* schedule : {&first, &second}) {
      const SyntheticCosts costs(*schedule, 0);
      const WiredProgram program = wire(*schedule, costs);
      std::vector<std::uint64_t> keys;
      for (std::int64_t m = 0; m < members; ++m) {
        keys.push_back(member_key(1, m, schedule == &second));
      }
      const auto outcome = jitter_sweep(program, table, keys, 1, 1, set);
      benchmark::DoNotOptimize(outcome.makespan_ps.data());
      updates += static_cast<double>(outcome.updates);
      state.counters["bytes_per_rank"] =
          static_cast<double>(outcome.state_bytes) / static_cast<double>(schedule->positions());
    }
    state.SetIterationTime(thread_seconds() - begin);
    seconds += thread_seconds() - begin;
  }
  state.counters["updates"] = updates / static_cast<double>(state.iterations());
  if (seconds > 0) state.counters["updates/s"] = updates / seconds;
}

BENCHMARK(ring_10080_two_slices)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ring_rounds)
    ->RangeMultiplier(2)
    ->Range(1024, 131072)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(ring_10080_folded)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(hierarchical_10080_folded)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(tree_10080)
    ->ArgNames({"chunks", "jump"})
    ->Args({16, 0})
    ->Args({2048, 0})
    ->Args({2048, 1})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(halving_doubling_10080)
    ->ArgName("jump")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(pat_10080, unfolded, 0)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(pat_10080, folded, 72)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(in_switch_10080, unfolded, 0)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(in_switch_10080, folded, 72)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(grouped_all_to_all_10080)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(all_to_all)->Arg(1024)->Arg(10080)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  for (const InstructionSet set : available_instruction_sets()) {
    const std::string name = "ring_10080_unfolded/" + std::string(to_string(set));
    benchmark::RegisterBenchmark(name.c_str(), ring_10080_unfolded, set)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
    const std::string jitter = "jitter_tree_10080/" + std::string(to_string(set));
    benchmark::RegisterBenchmark(jitter.c_str(), jitter_tree_10080, set)
        ->ArgName("members")
        ->Arg(256)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
