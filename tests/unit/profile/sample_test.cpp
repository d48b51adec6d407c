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

}  // namespace
}  // namespace fabricast
