#include "emulator/calibrate/observations.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "emulator/base/error.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

SampleSet one_condition(const std::vector<double>& values) {
  SampleSet set;
  Conditions conditions;
  conditions.executor = ExecutorKind::host;
  conditions.machine = "m";
  conditions.suite = "collective";
  conditions.algorithm = "ring";
  conditions.protocol = "none";
  conditions.ranks = 2;
  conditions.bytes = 64;
  set.conditions.push_back(conditions);
  for (std::size_t i = 0; i < values.size(); ++i) {
    set.samples.push_back({0, static_cast<std::int32_t>(i), values[i], false});
  }
  return set;
}

TEST(Observations, AreMediansWithTheMediansError) {
  const auto quiet = observations_of(one_condition({10, 10, 10, 10}), "m", ExecutorKind::host, 0);
  ASSERT_EQ(quiet.size(), 1u);
  EXPECT_DOUBLE_EQ(quiet[0].ln_value, std::log(10.0));
  EXPECT_DOUBLE_EQ(quiet[0].sigma, 0.01);  // what whole runs differ by
  std::vector<double> wide;
  for (int i = 0; i < 16; ++i) wide.push_back(10 + 0.4 * i);
  const auto noisy = observations_of(one_condition(wide), "m", ExecutorKind::host, 0);
  EXPECT_GT(noisy[0].sigma, 0.02);
}

TEST(Observations, OfTheMachineAndExecutorOnly) {
  const auto set = one_condition({10});
  EXPECT_EQ(observations_of(set, "m", ExecutorKind::host, 0).size(), 1u);
  EXPECT_TRUE(observations_of(set, "n", ExecutorKind::host, 0).empty());
  EXPECT_TRUE(observations_of(set, "m", ExecutorKind::mpi, 0).empty());
  EXPECT_TRUE(observations_of(one_condition({}), "m", ExecutorKind::host, 0).empty());
}

// A host runs LL and LL128 to check their data; its model has no parameters for them.
TEST(Observations, OfProtocolsThatTheModelHasOnly) {
  auto set = one_condition({10});
  for (const char* protocol : {"ll", "ll128"}) {
    set.conditions[0].executor = ExecutorKind::host;
    set.conditions[0].protocol = protocol;
    EXPECT_TRUE(observations_of(set, "m", ExecutorKind::host, 0).empty()) << protocol;
    set.conditions[0].executor = ExecutorKind::cuda;
    EXPECT_EQ(observations_of(set, "m", ExecutorKind::cuda, 0).size(), 1u) << protocol;
  }
}

TEST(Observations, EveryFourthSizeOfEachSweepIsHeldOut) {
  const auto box = load_machine("hgx-h100");
  const auto truth = values_of(prior_profile(*box, ExecutorKind::nccl));
  const auto set = draw(*box, ExecutorKind::nccl, truth,
                        {{Collective::all_reduce,
                          "ring",
                          {Protocol::ll, Protocol::simple},
                          sizes_between(8, 1 << 16, 4)}},
                        0.01, 1, 3);
  for (const Observation& seen : observations_of(set, "hgx-h100", ExecutorKind::nccl, 0.25)) {
    const bool fourth = seen.conditions.bytes == 8 * 64 || seen.conditions.bytes == 8 * 64 * 256;
    EXPECT_EQ(seen.held_out, fourth) << seen.conditions.bytes;
  }
}

TEST(Observations, ElementSizeFollowsTheType) {
  auto set = one_condition({10});
  set.conditions[0].dtype = "bfloat16";
  EXPECT_EQ(observations_of(set, "m", ExecutorKind::host, 0)[0].point.element_bytes, 2);
  set.conditions[0].protocol = "smple";
  EXPECT_THROW(observations_of(set, "m", ExecutorKind::host, 0), UsageError);
}

}  // namespace
}  // namespace fabricast
