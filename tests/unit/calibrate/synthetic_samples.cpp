#include "tests/unit/calibrate/synthetic_samples.hpp"

#include <cmath>

#include "emulator/base/counter_rng.hpp"
#include "emulator/sim/predict.hpp"

namespace fabricast {

std::vector<std::int64_t> sizes_between(std::int64_t from, std::int64_t to, std::int64_t factor) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t bytes = from; bytes <= to; bytes *= factor) sizes.push_back(bytes);
  return sizes;
}

SampleSet draw(const Topology& topology, ExecutorKind executor, const ParameterValues& truth,
               const std::vector<SampledSweep>& sweeps, double noise_ln, std::uint64_t seed,
               int iterations) {
  Forward forward(topology);
  SampleSet set;
  for (const SampledSweep& sweep : sweeps) {
    for (const Protocol protocol : sweep.protocols) {
      for (const std::int64_t bytes : sweep.sizes) {
        auto point = point_of(executor, sweep.collective, sweep.algorithm, protocol, bytes);
        point.channels = sweep.channels;
        const double us = to_us(forward.time(truth, point));
        Conditions conditions;
        conditions.executor = executor;
        conditions.machine = topology.name();
        conditions.suite = "collective";
        conditions.collective = sweep.collective;
        conditions.algorithm = sweep.algorithm;
        conditions.protocol = std::string(to_string(protocol));
        conditions.ranks = topology.ranks();
        conditions.channels = sweep.channels;
        if (executor == ExecutorKind::peers) {
          const bool in_switch = protocol == Protocol::multimem;
          conditions.executor = ExecutorKind::cuda;
          conditions.suite = in_switch ? "collective_multimem" : "collective_peers";
          if (in_switch) conditions.protocol = "simple";
        }
        conditions.bytes = bytes;
        const auto condition = static_cast<std::int32_t>(set.conditions.size());
        set.conditions.push_back(conditions);
        for (int n = 0; n < iterations; ++n) {
          const double noise = random_normal(seed, static_cast<std::uint64_t>(condition),
                                             static_cast<std::uint64_t>(n));
          set.samples.push_back({condition, n, us * std::exp(noise_ln * noise), false});
        }
      }
    }
  }
  return set;
}

void observe_directly(SampleSet& set, const std::string& machine, ExecutorKind executor,
                      const std::string& parameter, double value) {
  Conditions conditions;
  conditions.executor = executor;
  conditions.machine = machine;
  conditions.suite = "copy";
  conditions.parameter = parameter;
  conditions.protocol = "none";
  const auto condition = static_cast<std::int32_t>(set.conditions.size());
  set.conditions.push_back(conditions);
  for (int n = 0; n < 5; ++n) set.samples.push_back({condition, n, value, false});
}

PointSpec point_of(ExecutorKind executor, Collective collective, const std::string& algorithm,
                   Protocol protocol, std::int64_t bytes) {
  PointSpec point;
  point.executor = executor;
  point.collective = collective;
  point.algorithm = algorithm;
  point.protocol = protocol;
  point.bytes = bytes;
  return point;
}

const char* const eight_lane_host = R"(name: eight-lanes
title: A host of eight cores
kind: host
lanes: [8, assumed, "a test"]
processor:
  name: test core
  memory: [64 GB, assumed, "a test"]
  llc: [32 MB, assumed, "a test"]
interconnect:
  kind: shared_memory
  bandwidth: [20 GB/s, assumed, "a test"]
  latency: [100 ns, assumed, "a test"]
channels: [1, assumed, "a test"]
)";

}  // namespace fabricast
