// The synthetic machine: samples drawn from known parameter values, plus seeded noise.
//
// It closes measure -> calibrate -> emulate without a GPU: the truth is known, so calibration must
// find it, and a changed truth must move exactly the predictions that depend on it. The times come
// from the one forward model (sim/predict.hpp), multiplied by exp(noise * N(0,1)): log-normal, so
// that the median of many samples is the modeled time. A stated share of the samples is an outlier,
// as on a real machine, and goes through the harness's own rule for disturbed samples.
//
// Samples are labelled: environment["synthetic"] describes the truth and can never be mistaken for
// a measurement. Deterministic: noise is a counter-based function of (seed, condition, iteration),
// so adding a size or an algorithm does not change the samples of the others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/disturbance.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/profile/sample.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Key of SampleSet::environment that marks a set as made up.
inline constexpr const char* synthetic_key = "synthetic";

struct SyntheticOptions {
  // peers: conditions are those of the cuda executor between GPUs.
  ExecutorKind executor = ExecutorKind::nccl;
  std::vector<Collective> collectives;
  std::vector<std::string> algorithms;  // empty: every one that applies
  std::vector<Protocol> protocols;      // empty: those it runs with unless told otherwise
  std::vector<std::int64_t> sizes;      // asked for; rounded as a real sweep's
  std::int32_t channels = 0;            // 0: the machine's default
  std::int32_t element_bytes = 4;
  std::string dtype = "float";
  int iterations = 20;
  double noise_ln = 0.03;      // standard deviation of ln(value)
  double outlier_rate = 0.01;  // share of the samples
  double outlier_factor = 8;   // an outlier takes this many times longer
  std::uint64_t seed = 1;
  DisturbanceRule disturbance;
};

// "id=xFACTOR" multiplies a parameter, "id=VALUE" replaces it. Throws UsageError for an unknown id
// (did-you-mean), a malformed or a non-positive number.
void apply_setting(const std::string& setting, ParameterValues& values);

// Throws UsageError for an unknown algorithm, noise < 0, a rate outside 0..0.5, iterations < 1, or
// when nothing is left to draw.
SampleSet draw_samples(const Topology& topology, const ParameterValues& truth,
                       const SyntheticOptions& options);

// What the noise is, for the record: "noise 0.03, outliers 0.01 x 8, seed 1".
std::string describe_noise(const SyntheticOptions& options);

}  // namespace fabricast
