// The trace of a measurement: samples, the machine they belong to, the host, the configuration.
//
// No /results: a result is a prediction or is added by `fabricast run`; `calibrate` reads /samples.
// Pure functions.
#pragma once

#include <string>

#include "bench/harness/harness.hpp"
#include "emulator/trace/table.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Where a trace comes from.
struct TraceOrigin {
  std::string backend;  // "host", "mpi", "cuda", "nccl", or "synthetic"
  std::string command_line;
  std::string config_yaml;  // what decided the samples
  std::string seed;         // "0" where nothing is random
};

// /host is the sample set's environment as YAML.
TraceContent measurement_trace(const SampleSet& samples, const Topology& machine,
                               const TraceOrigin& origin);

// The report of samples that did not come from a sweep: counts only, data not checked.
MeasureReport report_of(SampleSet samples);

}  // namespace fabricast
