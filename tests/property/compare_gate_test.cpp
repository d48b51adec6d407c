// How good the regression gate is, over seeded cases: false alarms among comparisons of equals at
// most 1 %, a slow-down by 10 % found in at least 95 %. docs/comparing.md quotes these cases.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/report/compare.hpp"
#include "tests/unit/report/run_traces.hpp"

namespace fabricast {
namespace {

struct GateCase {
  std::string name;
  std::size_t bases = 5;
  int rows = 24, samples = 20;
  double noise_ln = 0.03, common_ln = 0.01, own_ln = 0.005;
  std::string executor = "nccl";
  int slow_rows = 24;    // of the detection cases
  double run_noise = 0;  // above 0: logs, of which the option says it
};

RunDraw draw_of(const GateCase& gate, std::uint64_t seed, std::uint64_t run) {
  RunDraw draw;
  draw.seed = seed;
  draw.run = run;
  draw.executor = gate.executor;
  draw.rows = gate.rows;
  draw.samples = gate.samples;
  draw.noise_ln = gate.noise_ln;
  draw.common_ln = gate.common_ln;
  draw.own_ln = gate.own_ln;
  draw.imported = gate.run_noise > 0;
  return draw;
}

// Share of `trials` comparisons that end as a regression.
double alarms(const GateCase& gate, int slow_rows, std::uint64_t trials) {
  double found = 0;
  CompareOptions options;
  if (gate.run_noise > 0) options.run_noise = gate.run_noise;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    const std::uint64_t seed = 1'000'003 * (trial + 1);
    std::vector<TraceContent> bases;
    for (std::size_t run = 0; run < gate.bases; ++run) {
      bases.push_back(run_trace(draw_of(gate, seed, run)));
    }
    RunDraw fresh = draw_of(gate, seed, gate.bases);
    fresh.slow_rows = slow_rows;
    fresh.slow_factor = 1.1;
    found += compare_traces(bases, run_trace(fresh), options).count(Outcome::slower) > 0 ? 1 : 0;
  }
  return found / static_cast<double>(trials);
}

class Gate : public testing::TestWithParam<GateCase> {};

TEST_P(Gate, AtMostOnePercentFalseAlarms) { EXPECT_LE(alarms(GetParam(), 0, 500), 0.01); }

INSTANTIATE_TEST_SUITE_P(
    Equals, Gate,
    testing::Values(GateCase{"one_base", 1}, GateCase{"three_bases", 3}, GateCase{"five_bases", 5},
                    GateCase{"few_samples", 5, 24, 6}, GateCase{"one_row", 5, 1},
                    GateCase{"many_rows", 3, 40, 10},
                    GateCase{"restless_rows", 5, 24, 20, 0.03, 0.01, 0.02},
                    GateCase{"loud", 5, 24, 20, 0.08},
                    GateCase{"single_logs_one_base", 1, 24, 1, 0.01, 0.01, 0.005, "nccl", 24,
                             0.015},
                    GateCase{"single_logs", 5, 24, 1, 0.01, 0.01, 0.005, "nccl", 24, 0.015},
                    GateCase{"shared_host", 5, 24, 20, 0.03, 0.05, 0.04, "host"},
                    GateCase{"shared_host_one_base", 1, 24, 20, 0.03, 0.05, 0.04, "host"}),
    [](const auto& test) { return test.param.name; });

class Detection : public testing::TestWithParam<GateCase> {};

TEST_P(Detection, TenPercentAreFound) {
  EXPECT_GE(alarms(GetParam(), GetParam().slow_rows, 200), 0.95);
}

INSTANTIATE_TEST_SUITE_P(
    SlowDown, Detection,
    testing::Values(GateCase{"everything_one_base", 1}, GateCase{"everything_three_bases", 3},
                    GateCase{"everything_five_bases", 5},
                    GateCase{"everything_few_samples", 5, 24, 6},
                    GateCase{"everything_single_logs", 5, 24, 1, 0.01, 0.01, 0.005, "nccl", 24,
                             0.015},
                    GateCase{"a_quarter_one_base_quiet", 1, 24, 20, 0.02, 0.01, 0.005, "nccl", 6},
                    GateCase{"a_quarter_five_bases", 5, 24, 20, 0.03, 0.01, 0.005, "nccl", 6},
                    GateCase{"half_five_bases", 5, 24, 20, 0.02, 0.01, 0.005, "nccl", 12},
                    GateCase{"one_row_of_24_quiet", 5, 24, 20, 0.02, 0.01, 0.005, "nccl", 1}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fabricast
