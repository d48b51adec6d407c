// The engine's targets, one benchmark each, beside what they are compared with: the plain loop of
// the same ring, compiled the same way, and a copy of memory. Times are processor times of the
// thread, so that other load on the machine counts little; ratios to the baselines of the same run
// count most.
#include <benchmark/benchmark.h>

#include <ctime>
#include <fstream>
#include <map>
#include <string>

#include "bench/engine/baselines.hpp"
#include "bench/engine/synthetic_costs.hpp"
#include "emulator/base/heap.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/sweep.hpp"
#include "emulator/sim/sweep_memo.hpp"

namespace {

using namespace fabricast;

constexpr std::int32_t reference_ranks = 10'080;
const RankSpace reference{72, 140};
const RankSpace million{72, 13'890};

double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A line of /proc/self/status, in bytes; 0 where there is none.
std::int64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
  }
  return 0;
}
// VmHWM begins anew.
void restart_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// Updates per second of the plain loop, the best of three passes, by instruction set.
double plain_rate(InstructionSet set) {
  static std::map<InstructionSet, double> known;
  if (const auto found = known.find(set); found != known.end()) return found->second;
  constexpr std::int64_t steps = 4000;
  PlainRing ring(reference_ranks, 8);
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    const double begin = thread_seconds();
    benchmark::DoNotOptimize(ring.advance(steps, set));
    best =
        std::max(best, static_cast<double>(steps) * reference_ranks / (thread_seconds() - begin));
  }
  return known[set] = best;
}

void plain_ring_10080(benchmark::State& state, InstructionSet set) {
  PlainRing ring(reference_ranks, 8);
  constexpr std::int64_t steps = 2000;
  double seconds = 0, updates = 0;
  for (auto _ : state) {
    const double begin = thread_seconds();
    benchmark::DoNotOptimize(ring.advance(steps, set));
    const double took = thread_seconds() - begin;
    state.SetIterationTime(took);
    seconds += took;
    updates += static_cast<double>(steps) * reference_ranks;
  }
  state.counters["updates/s"] = updates / seconds;
}

void copy_256_mb(benchmark::State& state) {
  double rate = 0;
  for (auto _ : state) {
    const double begin = thread_seconds();
    rate = std::max(rate, copy_bytes_per_second(256'000'000));
    state.SetIterationTime(thread_seconds() - begin);
  }
  state.counters["bytes/s"] = rate;
}

struct Case {
  Schedule schedule;
  std::int32_t period = 0;  // of the costs; 0: every position has its own
  SweepOptions options{};
  std::int32_t channels = 1;  // evaluated one after the other, each with its own costs
  double slow = 0;            // the factor of one slow position, if any
};

void run(benchmark::State& state, const Case& of) {
  std::vector<SyntheticCosts> costs;
  for (std::int32_t c = 0; c < of.channels; ++c) {
    costs.emplace_back(of.schedule, of.period, static_cast<std::uint64_t>(c) + 1);
    if (of.slow > 0) costs.back().slow_down(of.schedule.positions() / 3, of.slow);
  }
  double updates = 0, skipped = 0, seconds = 0;
  std::int64_t state_bytes = 0;
  InstructionSet set = InstructionSet::baseline;
  for (auto _ : state) {
    double took = 0;
    for (const SyntheticCosts& channel : costs) {
      const SweepResult result = sweep(of.schedule, channel, of.options);
      benchmark::DoNotOptimize(result.makespan);
      took += result.engine_seconds;
      updates += static_cast<double>(result.updates);
      skipped += static_cast<double>(result.skipped);
      state_bytes = std::max(state_bytes, result.state_bytes);
      state.counters["classes"] = result.classes;
      set = choose_instruction_set(result.instruction_set);
    }
    state.SetIterationTime(took);
    seconds += took;
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["updates"] = updates / runs;
  state.counters["skipped"] = skipped / runs;
  state.counters["updates/s"] = updates / seconds;
  state.counters["of_plain_loop"] = updates / seconds / plain_rate(set);
  state.counters["state_bytes"] = static_cast<double>(state_bytes);
  state.counters["bytes_per_rank"] =
      static_cast<double>(state_bytes) / static_cast<double>(of.schedule.positions());
  state.SetLabel(std::string(to_string(set)));
}

SweepOptions unfolded(InstructionSet set, std::int32_t slices = 1) {
  SweepOptions options;
  options.fold = options.jump = false;
  options.slices = slices;
  options.instruction_set = to_string(set);
  return options;
}

Schedule half_of_64_chunks(bool mirrored) { return tree_all_reduce(million, 32, mirrored); }
Schedule half_of_16_chunks(bool mirrored) {
  return hierarchical_tree_all_reduce(million, 8, mirrored);
}

// Both trees of the pair, one after the other, with half of the chunks each. peak_bytes: resident
// memory at the most, beside what the benchmark holds before (the costs).
void two_trees(benchmark::State& state, Schedule (*schedule_of)(bool mirrored)) {
  SweepOptions options;
  options.fold = false;
  double updates = 0, seconds = 0;
  std::int64_t state_bytes = 0, peak_bytes = 0;
  for (auto _ : state) {
    double took = 0;
    for (const bool mirrored : {false, true}) {
      const Schedule schedule = schedule_of(mirrored);
      const SyntheticCosts costs(schedule, 0, mirrored ? 2 : 1);
      restart_peak();
      const std::int64_t before = status_bytes("VmRSS");
      const SweepResult result = sweep(schedule, costs, options);
      benchmark::DoNotOptimize(result.makespan);
      peak_bytes = std::max(peak_bytes, status_bytes("VmHWM") - before);
      took += result.engine_seconds;
      updates += static_cast<double>(result.updates);
      state_bytes = std::max(state_bytes, result.state_bytes);
    }
    state.SetIterationTime(took);
    seconds += took;
  }
  state.counters["updates"] = updates / static_cast<double>(state.iterations());
  state.counters["updates/s"] = updates / seconds;
  state.counters["of_plain_loop"] = updates / seconds / plain_rate(InstructionSet::baseline);
  state.counters["state_bytes"] = static_cast<double>(state_bytes);
  state.counters["peak_bytes"] = static_cast<double>(peak_bytes);
}

// 1,800 collectives of 262,144 GPUs in nodes of 8, of which 40 are distinct: two schedules over
// four group sizes, in five message sizes, which here decide the loops.
void iteration_262144(benchmark::State& state) {
  constexpr std::int32_t collectives = 1800;
  const std::int32_t nodes[] = {8, 512, 4096, 32'768};
  for (auto _ : state) {
    const double begin = thread_seconds();
    SweepMemo memo;
    SimDuration total;
    for (std::int32_t i = 0; i < collectives; ++i) {
      const RankSpace space{8, nodes[i % 4]};
      const bool ring = i / 4 % 2 == 0;
      const std::int32_t loops = 1 + i / 8 % 5;
      total += memo.time({ring ? "ring" : "hierarchical", loops, i % 4}, [&] {
        const Schedule schedule = ring ? ring_all_reduce(space) : hierarchical_all_reduce(space);
        SweepOptions options;
        options.loops = loops;
        return sweep(schedule, SyntheticCosts(schedule, 8), options).makespan;
      });
    }
    benchmark::DoNotOptimize(total);
    state.counters["distinct"] = static_cast<double>(memo.distinct());
    state.SetIterationTime(thread_seconds() - begin);
  }
}

void add(const std::string& name, const Case& of) {
  benchmark::RegisterBenchmark(name.c_str(), run, of)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void add_all() {
  benchmark::RegisterBenchmark("baseline/copy_256_mb", copy_256_mb)->UseManualTime()->Iterations(1);
  for (const InstructionSet set : available_instruction_sets()) {
    const std::string name(to_string(set));
    benchmark::RegisterBenchmark(("baseline/plain_ring_10080/" + name).c_str(), plain_ring_10080,
                                 set)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
    add("unfolded_ring_10080/" + name, {ring_all_reduce(reference), 0, unfolded(set)});
  }
  const InstructionSet best = choose_instruction_set("");
  add("unfolded_ring_10080_16_channels_2_slices",
      {ring_all_reduce(reference), 0, unfolded(best, 2), 16});
  add("straggler_ring_10080", {ring_all_reduce(reference), 0, unfolded(best), 1, 1.3});
  SweepOptions jumping = unfolded(best);
  jumping.jump = true;
  add("jumping_ring_10080", {ring_all_reduce(reference), 0, jumping});
  add("folded_ring_10080", {ring_all_reduce(reference), 72});
  add("folded_hierarchical_10080", {hierarchical_all_reduce(reference), 72});
  add("folded_ring_1000080", {ring_all_reduce(million), 72});
  add("folded_hierarchical_1000080", {hierarchical_all_reduce(million), 72});
  benchmark::RegisterBenchmark("iteration_262144_1800_collectives", iteration_262144)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("unfolded_double_tree_1000080_64_chunks", two_trees,
                               half_of_64_chunks)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("unfolded_hierarchical_tree_1000080_16_chunks", two_trees,
                               half_of_16_chunks)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
