// What dividing a long ring among processes gains: mpirun -n 2 team_bench
//
// One process after the other evaluates the ring alone, the others waiting; then all evaluate it
// together, in the same run. Wall time, because processes work side by side. `speedup` is alone
// (the mean of the processes) over together; the target with two processes is 1.7 where one takes 5
// s.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "bench/engine/synthetic_costs.hpp"
#include "emulator/base/communicator.hpp"
#include "emulator/base/heap.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/sweep.hpp"

namespace {

using namespace fabricast;

Communicator& world() {
  static Communicator communicator = Communicator::world();
  return communicator;
}

struct Timed {
  SweepResult result;
  double seconds = 0;
};

Timed timed(const Schedule& schedule, const StepCosts& costs, const SweepOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  Timed out{sweep(schedule, costs, options)};
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  out.seconds = took.count();
  return out;
}

// A barrier that leaves the core to who works: MPI's would poll.
void wait_for_turn(int turn) {
  const int own = world().rank();
  std::byte token{};
  constexpr int tag = 17;
  if (own == turn) {
    for (int other = 0; other < world().size(); ++other) {
      if (other != own) world().send({&token, 1}, other, tag);
    }
    return;
  }
  const auto request = world().start_receive({&token, 1}, turn, tag);
  while (!world().test(request)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void divided_ring(benchmark::State& state) {
  const Schedule schedule = ring_all_reduce({static_cast<std::int32_t>(state.range(0))});
  const SyntheticCosts costs(schedule, 0);
  SweepOptions options;
  options.fold = options.jump = false;
  double alone = 0, together = 0;
  for (auto _ : state) {
    options.team = nullptr;
    Timed mine;
    for (int turn = 0; turn < world().size(); ++turn) {
      if (turn == world().rank()) mine = timed(schedule, costs, options);
      wait_for_turn(turn);
    }
    options.team = &world();
    world().barrier();
    const Timed ours = timed(schedule, costs, options);
    if (ours.result.makespan != mine.result.makespan) state.SkipWithError("another makespan");
    const double slowest = world().max(ours.seconds);
    state.SetIterationTime(slowest);
    together += slowest;
    constexpr double microseconds = 1e6;
    alone +=
        static_cast<double>(world().sum(static_cast<std::int64_t>(mine.seconds * microseconds))) /
        microseconds / world().size();
    state.counters["updates"] = static_cast<double>(mine.result.updates);
  }
  state.counters["processes"] = world().size();
  state.counters["alone_s"] = alone / static_cast<double>(state.iterations());
  state.counters["speedup"] = alone / together;
}

// Processes but the first measure without a word.
class Silent : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  // Every process must run as often.
  benchmark::RegisterBenchmark("divided_ring", divided_ring)
      ->Arg(20'160)
      ->Arg(86'400)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (world().is_root()) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    Silent silent;
    benchmark::RunSpecifiedBenchmarks(&silent);
  }
  benchmark::Shutdown();
  Communicator::finish();
  return 0;
}
