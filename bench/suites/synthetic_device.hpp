// A GPU that is made up: every time is computed from known parameter values, times seeded noise.
//
// It closes suites -> calibrate -> predict without a GPU: the truth is known, so the fit must find
// it, and a changed truth must move exactly what depends on it. Suites that have a model are drawn
// from it (cost/micro_model.hpp); what identifies no parameter is drawn from figures that are nobody's
// and only of the right order. The samples' environment says "synthetic". Deterministic: noise is a
// counter-based function of (seed, what is measured, repetition). Not thread safe.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/suites/device_under_test.hpp"
#include "emulator/cost/device_costs.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct SyntheticDeviceOptions {
  double noise_ln = 0.01;      // standard deviation of ln(value)
  double outlier_rate = 0.01;  // share of the samples
  double outlier_factor = 8;
  std::uint64_t seed = 1;
  // After so many repetitions of everything the device says that it is too hot; 0: never.
  std::int64_t hot_after = 0;
};

// `truth` are values of the machine's profile for executor cuda. Throws UsageError for a machine
// without GPUs.
std::unique_ptr<DeviceUnderTest> synthetic_device(const Topology& machine,
                                                  const ParameterValues& truth,
                                                  const SyntheticDeviceOptions& options);

}  // namespace fabricast
