// The driver against a fake executor that records every call.
#include "bench/harness/harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "emulator/base/error.hpp"
#include "tests/unit/schedule/msccl_tools_files.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

struct Call {
  enum Kind { prepare, run, check } kind{};
  std::int64_t bytes = 0;
};

class FakeExecutor final : public Executor {
 public:
  std::string name() const override { return "fake"; }
  std::string description() const override { return "4 lanes that do nothing"; }
  std::int32_t max_ranks() const override { return 4; }
  TimingVerdict may_time(const ExecutionPlan&) const override { return verdict; }
  void prepare(const RunRequest& request) override {
    bytes_ = request.plan->bytes;
    calls.push_back({Call::prepare, bytes_});
  }
  double run() override {
    calls.push_back({Call::run, bytes_});
    ++runs_;
    return runs_ % disturb_every == 0 ? 100e-6 : 1e-6;
  }
  std::int64_t check() override {
    calls.push_back({Call::check, bytes_});
    return bytes_ == wrong_at ? 3 : 0;
  }

  TimingVerdict verdict;
  std::int64_t wrong_at = -1;
  int disturb_every = 1 << 30;
  std::vector<Call> calls;

 private:
  std::int64_t bytes_ = 0;
  int runs_ = 0;
};

MeasureOptions ring_sweep() {
  MeasureOptions options;
  options.collectives = {Collective::all_reduce};
  options.algorithms = {"ring"};
  options.min_bytes = 64;
  options.max_bytes = 512;
  options.iterations = 5;
  options.warmup = 2;
  return options;
}

TEST(Harness, EverySizeIsCheckedAndWarmBeforeAnythingIsTimed) {
  FakeExecutor executor;
  measure_collectives(executor, ExecutorKind::host, "here", ring_sweep());
  // 4 sizes: [prepare check run run] each, then [prepare run + 5 timed runs] each.
  ASSERT_EQ(executor.calls.size(), 4u * 4 + 4u * 7);
  std::size_t i = 0;
  for (const std::int64_t bytes : {64, 128, 256, 512}) {
    for (const auto kind : {Call::prepare, Call::check, Call::run, Call::run}) {
      EXPECT_EQ(executor.calls[i].kind, kind) << i;
      EXPECT_EQ(executor.calls[i++].bytes, bytes);
    }
  }
  for (const std::int64_t bytes : {64, 128, 256, 512}) {
    EXPECT_EQ(executor.calls[i].kind, Call::prepare);
    for (int n = 0; n < 7; ++n) EXPECT_EQ(executor.calls[i++].bytes, bytes);
  }
}

TEST(Harness, EveryTimedIterationIsASample) {
  FakeExecutor executor;
  const auto set = measure_collectives(executor, ExecutorKind::host, "here", ring_sweep());
  ASSERT_EQ(set.conditions.size(), 4u);
  ASSERT_EQ(set.samples.size(), 20u);
  EXPECT_EQ(set.conditions[1].bytes, 128);
  EXPECT_EQ(set.conditions[1].algorithm, "ring");
  EXPECT_EQ(set.conditions[1].protocol, "none");
  EXPECT_EQ(set.conditions[1].machine, "here");
  EXPECT_EQ(set.conditions[1].ranks, 4);
  EXPECT_EQ(set.samples[7].condition, 1);
  EXPECT_EQ(set.samples[7].iteration, 2);
  EXPECT_DOUBLE_EQ(set.samples[7].value, 1.0);  // us
}

std::shared_ptr<const AlgorithmFile> file_of(const std::string& xml) {
  AlgorithmFile file;
  file.path = "f.xml";
  file.label = "of_file";
  file.imported = read_algorithm_file(xml, file.path);
  return std::make_shared<const AlgorithmFile>(std::move(file));
}

TEST(Harness, AFileRunsAtSizesItCanCarryWithItsOwnChannelsAndPlace) {
  FakeExecutor executor;
  auto options = ring_sweep();
  options.algorithms.clear();
  options.collectives = {Collective::all_reduce};
  options.files = {file_of(tools_one_pass_all_reduce(4, 2))};  // 8 chunks of floats
  options.min_bytes = 16;
  options.max_bytes = 100;
  options.increment = 28;
  const auto report = measure_sweep(executor, ExecutorKind::host, "here", options);
  ASSERT_EQ(report.cases.size(), 3u);  // 44, 72, 100 run as 32, 64, 96; 16 not at all
  for (std::size_t i = 0; i < report.cases.size(); ++i) {
    const Conditions& c = report.cases[i].conditions;
    EXPECT_EQ(c.algorithm, "of_file");
    EXPECT_EQ(c.channels, 2);
    EXPECT_TRUE(c.in_place);
    EXPECT_EQ(c.bytes % 32, 0);
  }
  EXPECT_THAT(report.notes.front(), HasSubstr("of_file: sizes 16 round to 0"));
  EXPECT_THROW(check_sweep(executor, ExecutorKind::nccl, "here", options), UsageError);
  options.files = {file_of(tools_one_pass_all_reduce(3, 1))};
  EXPECT_THROW(check_sweep(executor, ExecutorKind::host, "here", options), UsageError);
}

TEST(Harness, DisturbedSamplesStayFlaggedAndCounted) {
  FakeExecutor executor;
  executor.disturb_every = 37;
  auto options = ring_sweep();
  options.iterations = 40;
  const auto report = measure_sweep(executor, ExecutorKind::host, "here", options);
  int flagged = 0;
  for (const auto& sample : report.samples.samples) {
    EXPECT_EQ(sample.discarded, sample.value > 50);
    flagged += sample.discarded ? 1 : 0;
  }
  EXPECT_EQ(report.samples.samples.size(), 160u) << "nothing is dropped";
  EXPECT_GE(flagged, 3);
  int counted = 0;
  for (const auto& entry : report.cases) counted += entry.discarded;
  EXPECT_EQ(counted, flagged);
  EXPECT_EQ(report.samples.environment.at("harness_discarded"),
            std::to_string(flagged) + " of 160 samples");
}

TEST(Harness, WrongDataIsACheckErrorAndNothingIsTimed) {
  FakeExecutor executor;
  executor.wrong_at = 256;
  try {
    measure_collectives(executor, ExecutorKind::host, "here", ring_sweep());
    FAIL() << "wrong data went unnoticed";
  } catch (const CheckError& error) {
    EXPECT_THAT(error.what(), HasSubstr("all_reduce ring 256: 3 wrong elements"));
  }
  std::set<std::int64_t> checked;
  for (const auto& call : executor.calls) {
    if (call.kind == Call::check) checked.insert(call.bytes);
  }
  EXPECT_EQ(checked.size(), 4u) << "all sizes are checked before the verdict";
  EXPECT_EQ(executor.calls.size(), 16u);
}

TEST(Harness, ARefusalToTimeIsAUsageErrorWithTheReason) {
  FakeExecutor executor;
  executor.verdict = {false, "4 lanes on 2 cores"};
  try {
    measure_collectives(executor, ExecutorKind::host, "here", ring_sweep());
    FAIL() << "timed beyond the cores";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("4 lanes on 2 cores"));
    EXPECT_THAT(error.what(), HasSubstr("--check-only"));
  }
  EXPECT_TRUE(executor.calls.empty());
}

TEST(Harness, CheckOnlyVerifiesBeyondTheCoresAndTimesNothing) {
  FakeExecutor executor;
  executor.verdict = {false, "4 lanes on 2 cores"};
  auto options = ring_sweep();
  options.check_only = true;
  const auto report = measure_sweep(executor, ExecutorKind::host, "here", options);
  EXPECT_TRUE(report.samples.samples.empty());
  EXPECT_EQ(report.cases.size(), 4u);
  for (const auto& entry : report.cases) EXPECT_EQ(entry.wrong, 0);
  for (const auto& call : executor.calls) EXPECT_NE(call.kind, Call::run);
}

TEST(Harness, SizesThatRoundToTheSameOrToNothingRunOnce) {
  FakeExecutor executor;
  auto options = ring_sweep();
  options.collectives = {Collective::all_gather};
  options.min_bytes = 16;
  options.max_bytes = 160;
  options.increment = 16;
  const auto report = measure_sweep(executor, ExecutorKind::host, "here", options);
  std::vector<std::int64_t> sizes;
  for (const auto& conditions : report.samples.conditions) sizes.push_back(conditions.bytes);
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{64, 128})) << "4 ranks x multiples of 16 B";
  EXPECT_THAT(report.notes, testing::Contains(HasSubstr("16, 32, 48 round to 0 bytes")));
  EXPECT_THAT(report.notes, testing::Contains(HasSubstr("the least is 64 B, the same for every")));
}

TEST(Harness, ABudgetSkipsWholeConditionsAndSaysSo) {
  FakeExecutor executor;
  auto options = ring_sweep();
  options.iterations = 0;
  options.budget_seconds = 1e-9;
  const auto report = measure_sweep(executor, ExecutorKind::host, "here", options);
  ASSERT_EQ(report.samples.conditions.size(), 1u) << "the smallest size always runs";
  EXPECT_EQ(report.samples.conditions[0].bytes, 64);
  EXPECT_EQ(report.samples.samples.size(), 10u) << "with its floor";
  EXPECT_EQ(report.cases.size(), 4u);
  // A busy machine adds a note of its own.
  EXPECT_THAT(report.notes, testing::IsSupersetOf({HasSubstr("all_reduce ring 128 skipped"),
                                                   HasSubstr("all_reduce ring 256 skipped"),
                                                   HasSubstr("all_reduce ring 512 skipped")}));
  EXPECT_EQ(report.samples.environment.at("harness_skipped"), "3 conditions");
}

TEST(Harness, UnknownAlgorithmsAreNamedWithASuggestion) {
  FakeExecutor executor;
  auto options = ring_sweep();
  options.algorithms = {"rign"};
  try {
    measure_collectives(executor, ExecutorKind::host, "here", options);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ring"));
  }
  options.algorithms = {"ring"};
  EXPECT_THROW(measure_collectives(executor, ExecutorKind::nccl, "here", options), UsageError)
      << "NCCL chooses its algorithm itself";
}

TEST(Harness, NcclIsLabelledAsTheLibrarysOwnChoice) {
  FakeExecutor executor;
  auto options = ring_sweep();
  options.algorithms = {};
  const auto set = measure_collectives(executor, ExecutorKind::nccl, "here", options);
  EXPECT_EQ(set.conditions[0].algorithm, "nccl");
  EXPECT_EQ(set.conditions[0].protocol, "auto");
}

TEST(Harness, RecordsItsEnvironmentAndRules) {
  FakeExecutor executor;
  const auto set = measure_collectives(executor, ExecutorKind::host, "here", ring_sweep());
  for (const char* key : {"hostname", "kernel", "cpu_model", "usable_cores", "load_1min_before",
                          "load_1min_after", "involuntary_context_switches", "software",
                          "mpi_library", "executor_description", "harness_stopping_rule",
                          "harness_stop_reasons", "harness_discard_rule", "harness_data_check"}) {
    ASSERT_EQ(set.environment.count(key), 1u) << key;
    EXPECT_FALSE(set.environment.at(key).empty()) << key;
  }
  EXPECT_EQ(set.environment.at("harness_stop_reasons"), "fixed_count 4");
  EXPECT_EQ(set.environment.count("synthetic"), 0u);
}

TEST(Harness, ProgressEndsAtTheTotal) {
  FakeExecutor executor;
  int last = 0;
  int total = 0;
  measure_collectives(executor, ExecutorKind::host, "here", ring_sweep(), [&](int done, int of) {
    EXPECT_EQ(done, last + 1);
    last = done;
    total = of;
  });
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, 8);
}

}  // namespace
}  // namespace fabricast
