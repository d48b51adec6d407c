// What NCCL chooses and how long it takes, for one (collective, size) on 10,080 NVL72 GPUs, once the
// machine is loaded: target 50 ms of processor time. `first`: the first question about a collective,
// with all that depends on the machine still to be found out; `next`: another size of it.
#include <benchmark/benchmark.h>

#include <optional>
#include <memory>
#include <string>

#include "emulator/base/thread_seconds.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace {

using namespace fabricast;

struct Loaded {
  std::shared_ptr<const Topology> machine = load_machine("gb300-nvl72x140");
  NcclChooser chooser{*machine, library_version("2.28.9"), {}};
  ParameterValues values = values_of(prior_profile(*machine, ExecutorKind::nccl));
};

const Loaded& loaded() {
  static const Loaded once;
  return once;
}

SimDuration choice_and_time(Forward& forward, Collective collective, std::int64_t bytes) {
  const LibraryPoint chosen = loaded().chooser.choose(collective, bytes);
  PointSpec point;
  point.collective = collective;
  point.algorithm = chosen.algorithm;
  point.protocol = chosen.protocol.value_or(Protocol::simple);
  point.channels = chosen.channels;
  point.bytes = bytes;
  return forward.evaluate(forward.build(loaded().values, point)).time;
}

void choice(benchmark::State& state, Collective collective, std::int64_t bytes, bool first) {
  std::optional<Forward> forward(*loaded().machine);
  if (!first) choice_and_time(*forward, collective, 2 * bytes);
  for (auto _ : state) {
    if (first) forward.emplace(*loaded().machine);
    const double begin = thread_seconds();
    const SimDuration time = choice_and_time(*forward, collective, bytes);
    state.SetIterationTime(thread_seconds() - begin);
    state.counters["predicted_us"] = to_us(time);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const Collective collective : {Collective::all_reduce, Collective::all_gather,
                                      Collective::reduce_scatter, Collective::all_to_all}) {
    for (const auto& [label, bytes] : {std::pair{"1MiB", 1 << 20}, {"1GiB", 1 << 30}}) {
      for (const bool first : {true, false}) {
        const std::string name = "choice_and_time/" + std::string(to_string(collective)) + '/' +
                                 label + (first ? "/first" : "/next");
        benchmark::RegisterBenchmark(
            name.c_str(),
            [collective, bytes, first](benchmark::State& state) {
              choice(state, collective, bytes, first);
            })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
