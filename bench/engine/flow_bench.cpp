// Google Benchmark of the flow engine: an all-to-all of 1,024 GPUs on a 2:1 rail fat tree.
// Counters: events/s (starts and ends of flows per second of processor time), active (most flows at
// once), bytes_per_active (state over that), link_visits per event, classes.
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "emulator/flow/flow_classes.hpp"
#include "emulator/flow/flow_traffic.hpp"
#include "topologies/model/machine_file.hpp"

namespace {

using namespace fabricast;

constexpr std::int64_t message = 1 << 20;

// Processor time of this thread, as for the sweep: other load does not count.
double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// 128 boxes of eight, a NIC of 50 GB/s per GPU, eight rails, 32 boxes to a leaf, half the uplinks.
std::shared_ptr<const Topology> tree() {
  const std::string gpu =
      "  kind: single_node\n  gpus: [8, assumed, bench]\n  gpu:\n    name: H100\n"
      "    generation: hopper\n    hbm: [80 GB, assumed, bench]\n"
      "    hbm_bandwidth: [3.35 TB/s, assumed, bench]\n    bf16: [989 TFLOPS, assumed, bench]\n"
      "    fp8: [1979 TFLOPS, assumed, bench]\n    power: [700 W, assumed, bench]\n"
      "  channels: [24, assumed, bench]\n  interconnect:\n    kind: nvlink\n"
      "    bandwidth: [450 GB/s, assumed, bench]\n    latency: [150 ns, assumed, bench]\n";
  return parse_machine(
      "name: bench\ntitle: 1,024 GPUs, 2 to 1\nkind: nested\ncount: [128, assumed, bench]\n"
      "channels: [16, assumed, bench]\nfabric:\n  kind: rail_fat_tree\n  name: infiniband\n"
      "  nic:\n    bandwidth: [400 Gbit/s, assumed, bench]\n    latency: [2.8 us, assumed, bench]\n"
      "    per_node: [8, assumed, bench]\n  tiers: [2, assumed, bench]\n"
      "  rails: [8, assumed, bench]\n  radix: [48, assumed, bench]\n"
      "  oversubscription: [2, assumed, bench]\n  hop_latency: [450 ns, assumed, bench]\nnode:\n" +
          gpu,
      "bench");
}

std::vector<RankId> all_ranks(const Topology& topology) {
  std::vector<RankId> ranks;
  for (std::int64_t r = 0; r < topology.ranks(); ++r) ranks.push_back(RankId::from(r));
  return ranks;
}

struct Total {
  double events = 0, seconds = 0, visits = 0;
};

void finish(benchmark::State& state, const FlowSimulator& simulator, double seconds, Total& total) {
  const FlowStats& stats = simulator.stats();
  state.SetIterationTime(seconds);
  total.seconds += seconds;
  total.events += static_cast<double>(stats.events);
  total.visits += static_cast<double>(simulator.solver().stats().link_visits);
  state.counters["events"] = static_cast<double>(stats.events);
  state.counters["active"] = static_cast<double>(stats.most_active);
  state.counters["bytes_per_active"] =
      static_cast<double>(stats.state_bytes) / static_cast<double>(stats.most_active);
  state.counters["refills"] = static_cast<double>(simulator.solver().stats().refills);
  state.counters["events/s"] = total.events / total.seconds;
  state.counters["visits_per_event"] = total.visits / total.events;
}

// Rank x begins at x * 1,009 ps and sends to x + 1, x + 2 ..., `window` at a time: hardly two flows
// ever start together.
void rounds(benchmark::State& state, Routing routing) {
  const auto topology = tree();
  const FlowNetwork network(topology, routing, 1);
  Total total;
  for (auto _ : state) {
    const double begin = thread_seconds();
    FlowSimulator simulator(network.capacities());
    PairwiseRounds driver(network, {all_ranks(*topology)}, message,
                          static_cast<std::int32_t>(state.range(0)), 1009);
    driver.begin(simulator);
    benchmark::DoNotOptimize(simulator.run(driver));
    finish(state, simulator, thread_seconds() - begin, total);
  }
}

// Every pair once, started one after the other so that the trunks are used to `percent`.
void open_arrivals(benchmark::State& state) {
  const auto topology = tree();
  const FlowNetwork network(topology, Routing::spray, 1);
  // Of 1,023 destinations 7 are in the own box and 31 on the own leaf; a trunk of 32 * 50 / 2 GB/s
  // carries a 32nd of the rest.
  const double busy_ps = 985.0 / 1023 / 32 * message / 0.8;
  const auto step =
      static_cast<std::int64_t>(busy_ps / (static_cast<double>(state.range(0)) / 100));
  const AllPairs list(network, all_ranks(*topology), message, step);
  Total total;
  for (auto _ : state) {
    const double begin = thread_seconds();
    FlowSimulator simulator(network.capacities());
    ListDriver driver(list);
    benchmark::DoNotOptimize(simulator.run(driver));
    finish(state, simulator, thread_seconds() - begin, total);
  }
}

// All 1,047,552 flows at the same time, through classes; folding and its check are in the time.
void equal_starts(benchmark::State& state, Routing routing) {
  const auto topology = tree();
  const FlowNetwork network(topology, routing, 1);
  const auto capacities = network.capacities();
  const AllPairs list(network, all_ranks(*topology), message);
  Total total;
  for (auto _ : state) {
    const double begin = thread_seconds();
    const auto quotient = fold_flows(list, capacities);
    if (!quotient) {
      state.SkipWithError("does not fold");
      return;
    }
    FlowSimulator simulator(quotient->capacities);
    for (const FlowStart& flow : quotient->flows) simulator.start(flow);
    FlowDriver driver;
    benchmark::DoNotOptimize(simulator.run(driver));
    finish(state, simulator, thread_seconds() - begin, total);
    state.counters["classes"] = static_cast<double>(quotient->flows.size());
  }
}

BENCHMARK_CAPTURE(rounds, spray, Routing::spray)
    ->ArgName("window")
    ->Arg(1)
    ->Arg(8)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rounds, ecmp, Routing::ecmp)
    ->ArgName("window")
    ->Arg(1)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(open_arrivals)
    ->ArgName("percent")
    ->Arg(60)
    ->Arg(90)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(equal_starts, spray, Routing::spray)
    ->Iterations(2)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(equal_starts, rail, Routing::rail)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
