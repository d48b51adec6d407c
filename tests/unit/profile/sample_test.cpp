#include "emulator/profile/sample.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

SampleSet set_of(std::initializer_list<double> values) {
  SampleSet set;
  set.conditions.resize(2);
  int i = 0;
  for (const double value : values) set.samples.push_back({1, i++, value, false});
  return set;
}

TEST(SampleSet, MedianIsTheMiddleOrTheMeanOfBoth) {
  EXPECT_DOUBLE_EQ(set_of({5, 1, 3}).summarize(1).median, 3);
  EXPECT_DOUBLE_EQ(set_of({4, 1, 3, 2}).summarize(1).median, 2.5);
}

TEST(SampleSet, PercentilesInterpolateBetweenOrderStatistics) {
  SampleSet set;
  set.conditions.resize(1);
  for (int i = 0; i <= 100; ++i) set.samples.push_back({0, i, 100.0 - i, false});
  const auto summary = set.summarize(0);
  EXPECT_DOUBLE_EQ(summary.p05, 5);
  EXPECT_DOUBLE_EQ(summary.p95, 95);
  EXPECT_DOUBLE_EQ(summary.p99, 99);
  EXPECT_EQ(summary.count, 101);
}

TEST(SampleSet, MeanAndStandardDeviation) {
  const auto summary = set_of({2, 4, 4, 4, 5, 5, 7, 9}).summarize(1);
  EXPECT_DOUBLE_EQ(summary.mean, 5);
  EXPECT_NEAR(summary.stdev, 2.13809, 1e-5);
}

TEST(SampleSet, DiscardedSamplesAndOtherConditionsDoNotCount) {
  auto set = set_of({1, 2, 3});
  set.samples.push_back({1, 3, 1000, true});
  set.samples.push_back({0, 0, 7, false});
  EXPECT_EQ(set.summarize(1).count, 3);
  EXPECT_DOUBLE_EQ(set.summarize(1).mean, 2);
  EXPECT_EQ(set_of({}).summarize(0).count, 0);
  EXPECT_EQ(set_of({}).summarize(0).median, 0);
}

TEST(ExecutorKind, NamesRoundTripAndTyposGetAHint) {
  for (const auto kind :
       {ExecutorKind::host, ExecutorKind::mpi, ExecutorKind::cuda, ExecutorKind::nccl}) {
    EXPECT_EQ(executor_from_name(to_string(kind)), kind);
  }
  try {
    executor_from_name("ncll");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("nccl"), std::string::npos);
  }
}

TEST(SampleSet, AppendedSamplesKeepTheirConditionsStatesAndSources) {
  SampleSet whole, part;
  whole.conditions.resize(2);
  whole.samples = {{1, 0, 10.0, false}};
  whole.sources = {{0, "a.log", "aa", 1, ""}};
  whole.environment = {{"host", "a"}, {"cpu", "x"}};
  part.conditions.resize(1);
  part.samples = {{0, 0, 20.0, false}, {0, 1, 30.0, true}};
  part.sources = {{0, "b.log", "bb", 7, ""}, {1, "b.log", "bb", 8, ""}};
  part.device_states.resize(2);
  part.device_states[1].sm_mhz = 1755;
  part.environment = {{"host", "b"}, {"cpu", "x"}};
  append(whole, part);
  EXPECT_EQ(whole.conditions.size(), 3u);
  ASSERT_EQ(whole.samples.size(), 3u);
  EXPECT_EQ(whole.samples[2].condition, 2);
  EXPECT_EQ(whole.samples[2].value, 30.0);
  const std::vector<SampleSource> sources{
      {0, "a.log", "aa", 1, ""}, {1, "b.log", "bb", 7, ""}, {2, "b.log", "bb", 8, ""}};
  EXPECT_EQ(whole.sources, sources);
  ASSERT_EQ(whole.device_states.size(), 3u);  // one per sample, as soon as one has any
  EXPECT_EQ(whole.device_states[0], DeviceState{});
  EXPECT_EQ(whole.device_states[2].sm_mhz, 1755);
  EXPECT_EQ(whole.environment.at("host"), "a | b");
  EXPECT_EQ(whole.environment.at("cpu"), "x");
}

}  // namespace
}  // namespace fabricast
