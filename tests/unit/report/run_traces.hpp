// Traces of made-up measurements with known noise, for tests of compare.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/trace/table.hpp"

namespace fabricast {

// ln(sample) = ln(truth) + common(run) + own(run, row) + noise(run, row, iteration), all normal.
struct RunDraw {
  std::uint64_t seed = 1, run = 0;
  std::string machine = "m", executor = "nccl", redop = "sum";
  int rows = 24, samples = 20;
  double noise_ln = 0.03, common_ln = 0, own_ln = 0;
  int slow_rows = 0;  // the first ones take slow_factor times as long
  double slow_factor = 1;
  bool imported = false;  // every sample was read from a log
  std::map<std::string, std::string> environment;
};

// Tables: /sample_conditions, /samples, /sample_environment. A pure function of its argument.
TraceContent run_trace(const RunDraw& draw);

}  // namespace fabricast
