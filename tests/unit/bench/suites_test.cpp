// Suites on a synthetic device: the truth is known, so everything but the kernels is tested here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "bench/harness/synthetic.hpp"
#include "bench/suites/suite_runner.hpp"
#include "bench/suites/summary.hpp"
#include "bench/suites/synthetic_device.hpp"
#include "emulator/base/error.hpp"
#include "emulator/calibrate/calibrate.hpp"
#include "emulator/cost/micro_model.hpp"
#include "emulator/profile/inventory.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr const char* machine_name = "hgx-h100";

ParameterValues truth_with(const std::vector<std::string>& settings) {
  auto truth = values_of(prior_profile(*load_machine(machine_name), ExecutorKind::cuda));
  for (const auto& setting : settings) apply_setting(setting, truth);
  return truth;
}

SuiteReport run_all(const ParameterValues& truth, SyntheticDeviceOptions device = {},
                    SuiteOptions options = {}) {
  options.machine = machine_name;
  if (options.iterations == 0) options.iterations = 20;
  const auto made = synthetic_device(*load_machine(machine_name), truth, device);
  return run_suites(*made, suite_catalogue(), options);
}

TEST(Suites, IdentifyEveryParameterOfTheInterpreterAndNoOthers) {
  std::set<std::string> claimed;
  for (const Suite* suite : suite_catalogue()) {
    const SuiteFacts& facts = suite->facts();
    EXPECT_GT(facts.seconds, 0) << facts.name;
    EXPECT_FALSE(facts.identifies.empty() && facts.informs_nothing.empty()) << facts.name;
    claimed.insert(facts.identifies.begin(), facts.identifies.end());
  }
  std::set<std::string> inventory;
  for (const ParameterSpec& spec : parameter_inventory()) {
    if (spec.executor == ExecutorKind::cuda && !spec.of_machine) inventory.insert(spec.id);
  }
  EXPECT_EQ(claimed, inventory);
}

TEST(Suites, EveryCaseSaysWhatItObservesOrHasAModelOrIsDeclared) {
  const auto device = synthetic_device(*load_machine(machine_name), truth_with({}), {});
  for (const Suite* suite : suite_catalogue()) {
    const SuiteFacts& facts = suite->facts();
    EXPECT_LE(suite->memory_bytes(device->facts()), device->facts().memory_bytes / 4) << facts.name;
    for (const SuiteCase& c : suite->cases(device->facts())) {
      EXPECT_EQ(c.conditions.suite, facts.name);
      EXPECT_GT(c.once(*device), 0) << facts.name << " " << c.conditions.algorithm;
      const std::string& id = c.conditions.parameter;
      if (id.empty()) {
        EXPECT_TRUE(is_modeled_micro(c.conditions) || !facts.informs_nothing.empty());
      } else {
        EXPECT_THAT(facts.identifies, testing::Contains(id)) << facts.name;
      }
    }
  }
}

// From micro-benchmarks alone, every parameter of the interpreter is found, wherever it is.
TEST(Suites, TheFitFindsTheTruth) {
  const auto truth = truth_with(
      {"cuda.launch=6", "cuda.handoff.ll=0.7", "cuda.handoff.ll128=x1.4", "cuda.handoff.simple=1.7",
       "cuda.cta_copy_bw=55", "cuda.cta_hbm_ratio=0.45", "cuda.reduce_ratio=1.3", "cuda.l2_bw=5200",
       "cuda.hbm_bw=2700", "cuda.l2_size=36", "cuda.pcie_efficiency=0.8", "cuda.line_ratio.ll=0.3",
       "cuda.line_ratio.ll128=0.8", "cuda.await_ratio.ll=0.9", "cuda.await_ratio.ll128=0.35",
       "cuda.order.ll=1.5", "cuda.order.ll128=0.8"});
  const SuiteReport report = run_all(truth);
  EXPECT_TRUE(report.notes.empty()) << report.notes.front();
  const auto box = load_machine(machine_name);
  const auto profile = calibrate(*box, prior_profile(*box, ExecutorKind::cuda), report.samples);
  for (const ParameterValue& p : profile.parameters) {
    EXPECT_NEAR(std::log(p.value), std::log(truth.at(p.spec.id)), 0.03) << p.spec.id;
    EXPECT_EQ(p.identified, Identified::identified) << p.spec.id;
  }
}

TEST(Suites, EqualSeedsGiveEqualSamplesAndOthersDoNot) {
  const auto truth = truth_with({});
  const auto values = [&](std::uint64_t seed) {
    SyntheticDeviceOptions options;
    options.seed = seed;
    std::vector<double> all;
    for (const Sample& sample : run_all(truth, options).samples.samples)
      all.push_back(sample.value);
    return all;
  };
  EXPECT_EQ(values(1), values(1));
  EXPECT_NE(values(1), values(2));
}

TEST(Suites, SamplesOfAHotDeviceAreDiscardedWithTheReason) {
  SyntheticDeviceOptions device;
  device.hot_after = 30;  // in the second case
  device.outlier_rate = 0;
  const SuiteReport report = run_all(truth_with({}), device);
  const auto& set = report.samples;
  ASSERT_EQ(set.device_states.size(), set.samples.size());
  EXPECT_GT(set.summarize(0).count, 0);
  EXPECT_EQ(set.summarize(2).count, 0) << "throttled throughout";
  EXPECT_TRUE(set.samples.back().discarded);
  EXPECT_EQ(set.device_states.back().discard, DiscardReason::throttled);
  EXPECT_EQ(set.device_states.back().throttle, "sw_thermal");
  EXPECT_EQ(report.cases.back().throttled, report.cases.back().iterations);
  EXPECT_THAT(report.notes.back(), HasSubstr("throttled throughout"));
}

TEST(Suites, DisturbedSamplesAreFlaggedAndCounted) {
  SyntheticDeviceOptions device;
  device.outlier_rate = 0.05;
  const SuiteReport report = run_all(truth_with({}), device);
  int disturbed = 0;
  for (const SuiteCaseReport& c : report.cases) disturbed += c.disturbed;
  EXPECT_GT(disturbed, 0);
  int flagged = 0;
  for (const DeviceState& state : report.samples.device_states) {
    flagged += state.discard == DiscardReason::disturbed ? 1 : 0;
  }
  EXPECT_EQ(flagged, disturbed);
}

TEST(Suites, ABudgetThatIsUsedUpLeavesOutAndSaysSo) {
  SuiteOptions options;
  options.budget_seconds = 1e-6;
  const SuiteReport report = run_all(truth_with({}), {}, options);
  EXPECT_LT(report.samples.conditions.size(), report.cases.size());
  EXPECT_THAT(report.notes.front(), HasSubstr("budget"));
  for (const SuiteCaseReport& c : report.cases) {
    EXPECT_NE(c.skipped.empty(), c.iterations == 0) << c.conditions.algorithm;
  }
}

// NVML takes its time to tell clocks, which are read after each sample.
class SlowToTell final : public DeviceUnderTest {
 public:
  static constexpr auto time_to_tell = std::chrono::milliseconds(2);

  explicit SlowToTell(std::unique_ptr<DeviceUnderTest> device) : device_(std::move(device)) {}
  const DeviceFacts& facts() const override { return device_->facts(); }
  DeviceState state() override {
    std::this_thread::sleep_for(time_to_tell);
    return device_->state();
  }
  std::string description() const override { return device_->description(); }
  double launch_us(LaunchKind kind, std::int32_t ctas) override {
    return device_->launch_us(kind, ctas);
  }
  double hand_off_us(Protocol protocol, std::int64_t bytes, bool ordered) override {
    return device_->hand_off_us(protocol, bytes, ordered);
  }
  double line_move_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes,
                      bool awaits) override {
    return device_->line_move_us(protocol, ctas, bytes, awaits);
  }
  double reduce_copy_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes) override {
    return device_->reduce_copy_us(sources, ctas, bytes);
  }
  double engine_copy_us(CopyPath path, std::int64_t bytes) override {
    return device_->engine_copy_us(path, bytes);
  }
  double gemm_us(GemmType type, std::int32_t n, std::int32_t copy_ctas) override {
    return device_->gemm_us(type, n, copy_ctas);
  }

 private:
  std::unique_ptr<DeviceUnderTest> device_;
};

TEST(Suites, WhatReadingClocksTakesIsPartOfABudget) {
  SlowToTell device(synthetic_device(*load_machine(machine_name), truth_with({}), {}));
  SuiteOptions options;
  options.machine = machine_name;
  options.warmup = 1;
  const std::chrono::duration<double> floor =
      SlowToTell::time_to_tell * options.stopping.min_iterations;
  // The first case runs in any case and takes `floor` at least; so would the second, which never
  // fits then. Which of both reasons it is left out for is the load's choice.
  options.budget_seconds = 1.5 * floor.count();
  const SuiteReport report = run_suites(device, suites_from_names({"hand_off"}), options);
  EXPECT_EQ(report.samples.conditions.size(), 1u);
  ASSERT_GT(report.cases.size(), 1u);
  EXPECT_THAT(report.cases[1].skipped,
              AnyOf(HasSubstr("did not fit into the budget"), HasSubstr("the budget was used up")));
}

TEST(Suites, SharesOfABudgetAddUpToIt) {
  const auto& suites = suite_catalogue();
  double left = 60;
  for (std::size_t i = 0; i < suites.size(); ++i) {
    const double share = suite_share(suites, i, left);
    EXPECT_GT(share, 0);
    left -= share;
  }
  EXPECT_NEAR(left, 0, 1e-9);
}

TEST(Suites, UnknownNamesAreRefusedWithASuggestion) {
  EXPECT_EQ(suites_from_names({"all"}).size(), suite_catalogue().size());
  EXPECT_EQ(suites_from_names({"pcie", "pcie"}).size(), 1u);
  try {
    suites_from_names({"pci"});
    FAIL() << "not refused";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("pcie"));
  }
}

TEST(Suites, SummaryHoldsStatisticsClocksAndTheLabel) {
  SuiteReport report = run_all(truth_with({}));
  report.samples.environment[synthetic_key] = "drawn for this test";
  const std::string text = suite_summary(report.samples);
  EXPECT_THAT(text, HasSubstr("**SYNTHETIC, not a measurement:** drawn for this test"));
  for (const Suite* suite : suite_catalogue()) {
    EXPECT_THAT(text, HasSubstr("\n## " + suite->facts().name + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("| p50 | p95 | p99 | stdev | cv |"));
  EXPECT_THAT(text, HasSubstr("cuda.handoff.ll128"));
  EXPECT_THAT(text, HasSubstr("TFLOP/s"));
  EXPECT_THAT(describe_plan(suite_catalogue(), {}, 0), HasSubstr("identifies cuda.launch"));
}

TEST(Suites, AMachineOfCoresHasNoDevice) {
  EXPECT_THROW(
      {
        const auto host = parse_machine(R"(name: box
title: two lanes
kind: host
lanes: [2, assumed, chosen]
processor:
  name: cpu
  memory: [8 GB, assumed, chosen]
  llc: [32 MB, assumed, chosen]
interconnect:
  kind: shared_memory
  bandwidth: [10 GB/s, assumed, chosen]
  latency: [100 ns, assumed, chosen]
channels: [1, assumed, chosen]
)",
                                        "box");
        synthetic_device(*host, {}, {});
      },
      UsageError);
}

// This machine: a device, or the reason why there is none.
TEST(Suites, WithoutADeviceThereIsAReason) {
  const CudaDeviceChoice choice = first_cuda_device();
  EXPECT_NE(choice.device == nullptr, choice.why_not.empty());
}

}  // namespace
}  // namespace fabricast
