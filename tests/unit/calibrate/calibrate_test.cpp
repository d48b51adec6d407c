#include "emulator/calibrate/calibrate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "emulator/base/error.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr double noise = 0.03;

ParameterValues changed(ParameterValues values, const std::map<std::string, double>& factors) {
  for (const auto& [id, factor] : factors) values.at(id) *= factor;
  return values;
}

const std::vector<SampledSweep>& box_sweeps() {
  static const std::vector<SampledSweep> sweeps{{Collective::all_reduce,
                                                 "ring",
                                                 {Protocol::ll, Protocol::ll128, Protocol::simple},
                                                 sizes_between(8, 1LL << 32, 16)},
                                                {Collective::all_gather,
                                                 "ring",
                                                 {Protocol::ll, Protocol::simple},
                                                 sizes_between(1 << 10, 1LL << 30, 8)},
                                                {Collective::all_reduce,
                                                 "tree",
                                                 {Protocol::ll, Protocol::simple},
                                                 sizes_between(1 << 10, 1 << 26, 8)}};
  return sweeps;
}

TEST(Calibrate, FindsTheTruthOfABoxWithinItsSigma) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto truth = changed(values_of(prior), {{"launch.ll", 1.4},
                                                {"nvlink.step.ll", 0.6},
                                                {"nvlink.step_ratio.simple", 1.3},
                                                {"cta.copy_bw", 0.8},
                                                {"nvlink.efficiency", 0.95}});
  const auto samples = draw(*box, ExecutorKind::nccl, truth, box_sweeps(), noise, 7);
  const auto profile = calibrate(*box, prior, samples);
  for (const ParameterValue& parameter : profile.parameters) {
    const double error = std::log(parameter.value / truth.at(parameter.spec.id));
    EXPECT_LE(std::abs(error), 3 * parameter.sigma_ln) << parameter.spec.id;
  }
  for (const char* id : {"launch.ll", "launch.simple", "nvlink.step.ll", "cta.copy_bw",
                         "nvlink.efficiency", "nvlink.step_ratio.simple"}) {
    const ParameterValue* parameter = profile.find(id);
    EXPECT_EQ(parameter->identified, Identified::identified) << id << " " << parameter->sigma_ln;
    EXPECT_EQ(parameter->origin, ParameterOrigin::measured) << id;
    EXPECT_GT(parameter->samples, 0) << id;
  }
  // What is predicted is what the truth would take.
  for (const std::int64_t bytes : {512LL, 3LL << 20, 1LL << 33}) {
    const auto point =
        point_of(ExecutorKind::nccl, Collective::reduce_scatter, "ring", Protocol::simple, bytes);
    const double ratio = to_us(predict_time(*box, values_of(profile), point)) /
                         to_us(predict_time(*box, truth, point));
    EXPECT_NEAR(std::log(ratio), 0, 0.02) << bytes;
  }
}

TEST(Calibrate, FindsTheTruthOfAHost) {
  const auto host = parse_machine(eight_lane_host, "test");
  const auto prior = prior_profile(*host, ExecutorKind::host);
  const auto truth = changed(values_of(prior), {{"host.launch", 2.5},
                                                {"host.step", 0.4},
                                                {"host.copy_bw.cache", 1.5},
                                                {"host.copy_bw.memory", 0.7},
                                                {"host.reduce_ratio", 0.8}});
  const std::vector<SampledSweep> sweeps{
      {Collective::all_reduce, "ring", {Protocol::none}, sizes_between(64, 1LL << 28, 4)},
      {Collective::all_gather, "ring", {Protocol::none}, sizes_between(64, 1LL << 28, 4)},
      {Collective::broadcast, "ring", {Protocol::none}, sizes_between(64, 1LL << 28, 4)}};
  const auto samples = draw(*host, ExecutorKind::host, truth, sweeps, noise, 11);
  const auto profile = calibrate(*host, prior, samples);
  for (const ParameterValue& parameter : profile.parameters) {
    const double error = std::log(parameter.value / truth.at(parameter.spec.id));
    EXPECT_LT(std::abs(error), 3 * parameter.sigma_ln) << parameter.spec.id;
  }
  EXPECT_EQ(profile.find("host.launch")->identified, Identified::identified);
  EXPECT_EQ(profile.find("host.copy_bw.memory")->identified, Identified::identified);
  // Hand-off and wake-up of the peer act alike in a ring: together they are known.
  const auto together = [](const ParameterValues& v) {
    return v.at("host.step") + 2 * v.at("shared_memory.latency");
  };
  EXPECT_NEAR(std::log(together(values_of(profile)) / together(truth)), 0, 0.03);
}

// Only the product of a nominal rate and its efficiency shows in a time: the efficiency is fitted.
TEST(Calibrate, AHalvedEfficiencyIsFoundAndTheNominalRateStays) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto truth = changed(values_of(prior), {{"nvlink.efficiency", 0.5}});
  const auto profile =
      calibrate(*box, prior, draw(*box, ExecutorKind::nccl, truth, box_sweeps(), noise, 13));
  const ParameterValue* efficiency = profile.find("nvlink.efficiency");
  EXPECT_EQ(efficiency->identified, Identified::identified);
  EXPECT_NEAR(std::log(efficiency->value / truth.at("nvlink.efficiency")), 0, 0.02);
  const ParameterValue* rate = profile.find("nvlink.bandwidth");
  EXPECT_EQ(rate->value, box->link_classes().front().bandwidth.value);
  EXPECT_EQ(rate->origin, rate->prior.origin);
  EXPECT_EQ(rate->samples, 0);
  SampleSet set;
  observe_directly(set, "hgx-h100", ExecutorKind::nccl, "nvlink.bandwidth", 400.0);
  EXPECT_THROW(calibrate(*box, prior, set), UsageError);
}

// Small messages say nothing of bandwidths: these stay exactly where they were.
TEST(Calibrate, WhatSamplesDoNotShowStaysPrior) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto truth = changed(values_of(prior), {{"launch.ll", 1.3}, {"nvlink.efficiency", 0.5}});
  const std::vector<SampledSweep> small{
      {Collective::all_reduce, "ring", {Protocol::ll}, sizes_between(8, 1 << 10, 2)}};
  const auto profile =
      calibrate(*box, prior, draw(*box, ExecutorKind::nccl, truth, small, noise, 3));
  for (const char* id :
       {"nvlink.bandwidth", "nvlink.efficiency", "launch.simple", "nvlink.step_ratio.simple"}) {
    const ParameterValue* parameter = profile.find(id);
    EXPECT_EQ(parameter->identified, Identified::prior) << id;
    EXPECT_EQ(parameter->value, parameter->prior.value) << id;
    EXPECT_EQ(parameter->sigma_ln, parameter->prior.sigma_ln) << id;
    EXPECT_NE(parameter->origin, ParameterOrigin::measured) << id;
    EXPECT_EQ(parameter->samples, 0) << id;
  }
  EXPECT_NE(profile.find("launch.ll")->identified, Identified::prior);
}

TEST(Calibrate, OutlyingConditionsDoNotDragTheFit) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto truth = changed(values_of(prior), {{"nvlink.efficiency", 0.9}, {"launch.ll", 1.2}});
  auto samples = draw(*box, ExecutorKind::nccl, truth, box_sweeps(), noise, 5);
  for (Sample& sample : samples.samples) {
    if (sample.condition % 11 == 4) sample.value *= 5;  // every repeat of one condition in eleven
  }
  const auto profile = calibrate(*box, prior, samples);
  for (const std::int64_t bytes : {64LL, 1LL << 22, 1LL << 31}) {
    const auto protocol = bytes < 1 << 20 ? Protocol::ll : Protocol::simple;
    const auto point =
        point_of(ExecutorKind::nccl, Collective::all_reduce, "ring", protocol, bytes);
    const double ratio = to_us(predict_time(*box, values_of(profile), point)) /
                         to_us(predict_time(*box, truth, point));
    EXPECT_NEAR(std::log(ratio), 0, 0.04) << bytes;
  }
}

TEST(Calibrate, HeldOutSizesArePredictedNotFitted) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto samples = draw(*box, ExecutorKind::nccl, values_of(prior), box_sweeps(), noise, 9);
  const auto profile = calibrate(*box, prior, samples);
  std::size_t expected = 0;
  for (const SampledSweep& sweep : box_sweeps()) {
    expected += sweep.protocols.size() * (sweep.sizes.size() / 4);
  }
  ASSERT_EQ(profile.holdout.size(), expected);
  for (const HoldoutPoint& point : profile.holdout) {
    EXPECT_NEAR(std::log(point.predicted_us / point.measured_us), 0, 0.06) << point.point.bytes;
    EXPECT_TRUE(point.inside_interval);
  }
  EXPECT_EQ(profile.evidence.size(), samples.conditions.size());
  EXPECT_NE(profile.discrepancy_source.find("held-out"), std::string::npos);
  EXPECT_LT(profile.discrepancy_ln, 0.04);
  CalibrateOptions all;
  all.holdout_fraction = 0;
  EXPECT_TRUE(calibrate(*box, prior, samples, all).holdout.empty());
}

TEST(Calibrate, AModelThatMissesSaysSo) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  auto samples = draw(*box, ExecutorKind::nccl, values_of(prior), box_sweeps(), noise, 9);
  // A wave over sizes that no parameter can follow.
  for (Sample& sample : samples.samples) sample.value *= sample.condition % 2 == 0 ? 1.25 : 0.8;
  const auto profile = calibrate(*box, prior, samples);
  EXPECT_GT(profile.discrepancy_ln, 0.12);
}

TEST(Calibrate, DirectObservationsMoveTheirParameterAlone) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  SampleSet set;
  observe_directly(set, "hgx-h100", ExecutorKind::nccl, "cta.copy_bw", 30.0);
  const auto profile = calibrate(*box, prior, set);
  EXPECT_NEAR(profile.value("cta.copy_bw"), 30.0, 0.05);
  for (const ParameterValue& parameter : profile.parameters) {
    if (parameter.spec.id == "cta.copy_bw") continue;
    EXPECT_EQ(parameter.value, parameter.prior.value) << parameter.spec.id;
  }
  observe_directly(set, "hgx-h100", ExecutorKind::nccl, "host.step", 1.0);
  EXPECT_THROW(calibrate(*box, prior, set), UsageError);
}

TEST(Calibrate, SamplesOfAnotherMachineAreNotTaken) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  SampleSet set;
  observe_directly(set, "some-other-box", ExecutorKind::nccl, "cta.copy_bw", 30.0);
  EXPECT_THROW(calibrate(*box, prior, set), UsageError);
}

// Imported logs do not say what the library chose: the model's own choice is fitted.
TEST(Calibrate, ChoiceOfTheLibraryIsTheModelsChoice) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  auto samples = draw(
      *box, ExecutorKind::nccl, values_of(prior),
      {{Collective::all_gather, "ring", {Protocol::simple}, sizes_between(1 << 26, 1LL << 32, 4)}},
      noise, 2);
  for (Conditions& conditions : samples.conditions) {
    conditions.algorithm = "nccl";
    conditions.protocol = "auto";
  }
  const auto profile = calibrate(*box, prior, samples);
  for (const EvidencePoint& seen : profile.evidence) {
    EXPECT_EQ(seen.algorithm, "ring");
    EXPECT_EQ(seen.protocol, "simple");
  }
  EXPECT_NEAR(profile.value("nvlink.efficiency") / prior.value("nvlink.efficiency"), 1, 0.03);
}

// Who says what the library takes, as `emulate -a auto` does, is followed, channels included; where
// it says nothing, or what the machine's model does not have, the model chooses.
TEST(Calibrate, ChoiceOfTheLibraryIsTheRulesChoice) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  auto samples = draw(
      *box, ExecutorKind::nccl, values_of(prior),
      {{Collective::all_reduce, "ring", {Protocol::simple}, sizes_between(1 << 16, 1LL << 30, 4)}},
      noise, 2);
  for (Conditions& conditions : samples.conditions) {
    conditions.algorithm = "nccl";
    conditions.protocol = "auto";
  }
  CalibrateOptions options;
  options.library = [&](const Topology& cut, const PointSpec& asked) -> std::optional<PointSpec> {
    EXPECT_EQ(cut.ranks(), 8);
    if (asked.bytes < 1 << 18) return std::nullopt;
    PointSpec point = asked;
    point.algorithm = asked.bytes < 1 << 20 ? "collnet_chain" : "tree";
    point.protocol = Protocol::ll128;
    point.channels = 5;
    return point;
  };
  const auto profile = calibrate(*box, prior, samples, options);
  int told = 0;
  for (const EvidencePoint& seen : profile.evidence) {
    const bool tree = seen.algorithm == "tree" && seen.protocol == "ll128" && seen.channels == 5;
    EXPECT_EQ(tree, seen.bytes >= 1 << 20) << seen.bytes << " " << seen.algorithm;
    told += tree ? 1 : 0;
  }
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace fabricast
