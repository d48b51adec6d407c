// Samples drawn from the forward model with known parameter values: the truth a fit must find.
//
// A small relative of bench/harness/synthetic.hpp, which this layer may not include: conditions are
// listed by the test, noise is log-normal and keyed by (seed, condition, iteration).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/profile/sample.hpp"

namespace fabricast {

struct SampledSweep {
  Collective collective = Collective::all_reduce;
  std::string algorithm = "ring";
  std::vector<Protocol> protocols{Protocol::ll, Protocol::ll128, Protocol::simple};
  std::vector<std::int64_t> sizes;
  std::int32_t channels = 0;
};

// from, from * factor, ... <= to
std::vector<std::int64_t> sizes_between(std::int64_t from, std::int64_t to, std::int64_t factor);

// Under executor peers conditions are labelled as the cuda executor's between GPUs.
SampleSet draw(const Topology& topology, ExecutorKind executor, const ParameterValues& truth,
               const std::vector<SampledSweep>& sweeps, double noise_ln, std::uint64_t seed,
               int iterations = 20);

// A micro-benchmark that observes one parameter directly.
void observe_directly(SampleSet& set, const std::string& machine, ExecutorKind executor,
                      const std::string& parameter, double value);

PointSpec point_of(ExecutorKind executor, Collective collective, const std::string& algorithm,
                   Protocol protocol, std::int64_t bytes);

// A host of eight lanes, with figures a test can compute with.
extern const char* const eight_lane_host;

}  // namespace fabricast
