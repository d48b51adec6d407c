#include "emulator/calibrate/transfer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "emulator/calibrate/calibrate.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

void measure(CalibrationProfile& profile, const std::string& id, double factor, double sigma) {
  ParameterValue* parameter = profile.find(id);
  ASSERT_NE(parameter, nullptr) << id;
  parameter->value = parameter->prior.value * factor;
  parameter->sigma_ln = sigma;
  parameter->origin = ParameterOrigin::measured;
  parameter->identified = Identified::identified;
}

int carried(const CalibrationProfile& profile) {
  int count = 0;
  for (const ParameterValue& p : profile.parameters) count += !p.transfer_rule.empty();
  return count;
}

TEST(Transfer, NothingMeasuredNothingCarried) {
  const auto from = prior_profile(*load_machine("hgx-h100"), ExecutorKind::nccl);
  auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
  transfer(from, to);
  EXPECT_EQ(carried(to), 0);
  EXPECT_TRUE(to.evidence.empty());
}

TEST(Transfer, OfOneGenerationWidensSigma) {
  auto from = prior_profile(*load_machine("hgx-h100"), ExecutorKind::nccl);
  measure(from, "launch.ll", 1.5, 0.02);
  measure(from, "nvlink.bandwidth", 0.9, 0.01);
  from.evidence.push_back(
      {ExecutorKind::nccl, "hgx-h100", Collective::all_reduce, "ring", "ll", 8, 64, 0});
  auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
  transfer(from, to);
  const ParameterValue* launch = to.find("launch.ll");
  EXPECT_EQ(launch->transfer_rule, "same-generation");
  EXPECT_GT(launch->sigma_ln, 0.12);
  EXPECT_LT(launch->sigma_ln, launch->prior.sigma_ln);
  EXPECT_GT(launch->value, launch->prior.value * 1.25);
  EXPECT_LT(launch->value, launch->prior.value * 1.5);  // the prior still counts
  // A link figure belongs to its machine.
  EXPECT_TRUE(to.find("nvlink.bandwidth")->transfer_rule.empty());
  EXPECT_EQ(to.evidence.size(), 1u);
}

TEST(Transfer, AcrossGenerationsOnlyUniversalRatios) {
  auto from = prior_profile(*load_machine("hgx-h100"), ExecutorKind::nccl);
  measure(from, "launch.ll", 1.5, 0.02);
  measure(from, "nvlink.step_ratio.simple", 1.5, 0.02);
  auto to = prior_profile(*load_machine("gb300-nvl72"), ExecutorKind::nccl);
  transfer(from, to);
  EXPECT_EQ(carried(to), 1);
  EXPECT_EQ(to.find("nvlink.step_ratio.simple")->transfer_rule, "other-generation-ratios");
  EXPECT_EQ(to.value("launch.ll"), to.find("launch.ll")->prior.value);
}

TEST(Transfer, InterpreterGivesItsCopyRateNeverItsOwnCosts) {
  const auto box = load_machine("hgx-h100");
  auto from = prior_profile(*box, ExecutorKind::cuda);
  measure(from, "cuda.handoff.simple", 2.0, 0.02);
  measure(from, "cuda.cta_copy_bw", 0.5, 0.02);
  measure(from, "cuda.launch", 3.0, 0.02);
  auto to = prior_profile(*box, ExecutorKind::nccl);
  const double copy = to.value("cta.copy_bw");
  transfer(from, to);
  EXPECT_EQ(carried(to), 1);
  EXPECT_LT(to.value("cta.copy_bw"), copy);
  EXPECT_GT(to.value("cta.copy_bw"), 0.5 * copy);
  // One protocol of its own says nothing of the ratio of two.
  EXPECT_TRUE(to.find("nvlink.step_ratio.simple")->transfer_rule.empty());
  EXPECT_TRUE(to.find("launch.ll")->transfer_rule.empty());
}

// hgx-h100x1260 under another name, with some figure replaced.
std::shared_ptr<const Topology> installation(const std::string& old = "", const std::string& now = "") {
  std::string yaml = load_machine("hgx-h100x1260")->yaml();
  const auto replace = [&yaml](const std::string& from, const std::string& to) {
    const auto at = yaml.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    yaml.replace(at, from.size(), to);
  };
  replace("name: hgx-h100x1260", "name: elsewhere");
  if (!old.empty()) replace(old, now);
  return parse_machine(yaml, "elsewhere.yaml");
}

TEST(Transfer, ANodesNetworkIsCarriedToMoreOfTheSameNodes) {
  auto from = prior_profile(*installation(), ExecutorKind::nccl);
  measure(from, "net.step.simple", 2.0, 0.02);
  measure(from, "nic.efficiency", 0.7, 0.02);
  measure(from, "leaf_uplink.efficiency", 0.7, 0.02);
  auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
  transfer(from, to);
  EXPECT_EQ(to.find("net.step.simple")->transfer_rule, "same-fabric");
  EXPECT_EQ(to.find("nic.efficiency")->transfer_rule, "same-fabric");
  EXPECT_LT(to.value("nic.efficiency"), 0.97 * to.find("nic.efficiency")->prior.value);
  EXPECT_GT(to.find("net.step.simple")->sigma_ln, 0.12);
  // Trunks depend on how many leaves there are.
  EXPECT_TRUE(to.find("leaf_uplink.efficiency")->transfer_rule.empty());
}

TEST(Transfer, AnotherNetworkOrNicIsNotTheSameFabric) {
  for (const auto& other :
       {installation("name: infiniband", "name: roce"), installation("value: 400 Gbit/s", "value: 200 Gbit/s"),
        installation("value: 2.8 us", "value: 5 us")}) {
    auto from = prior_profile(*other, ExecutorKind::nccl);
    measure(from, "net.step.simple", 2.0, 0.02);
    auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
    transfer(from, to);
    EXPECT_EQ(carried(to), 0);
  }
}

TEST(Transfer, WhatTheTargetMeasuredStays) {
  auto from = prior_profile(*load_machine("hgx-h100"), ExecutorKind::nccl);
  measure(from, "launch.ll", 1.5, 0.02);
  auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
  measure(to, "launch.ll", 0.8, 0.05);
  transfer(from, to);
  EXPECT_EQ(carried(to), 0);
}

TEST(Transfer, AHostSaysNothingOfAGpu) {
  const auto host = parse_machine(eight_lane_host, "test");
  auto from = prior_profile(*host, ExecutorKind::host);
  measure(from, "host.step", 2.0, 0.02);
  auto to = prior_profile(*load_machine("gb300-nvl72"), ExecutorKind::nccl);
  transfer(from, to);
  EXPECT_EQ(carried(to), 0);
}

// A mark in the source ("SYNTHETIC, not a measurement") must not be lost on the way.
TEST(Transfer, WhatACarriedValueRestsOnTravelsWithIt) {
  const std::string mark = "SYNTHETIC, not a measurement: fit of 3 conditions";
  const auto check = [&mark](ExecutorKind executor, const char* source, const char* target) {
    auto from = prior_profile(*load_machine("hgx-h100"), executor);
    measure(from, source, 1.5, 0.02);
    from.find(source)->source = mark;
    auto to = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
    transfer(from, to);
    EXPECT_NE(to.find(target)->source.find(mark), std::string::npos) << to.find(target)->source;
  };
  check(ExecutorKind::nccl, "launch.ll", "launch.ll");
  check(ExecutorKind::cuda, "cuda.cta_copy_bw", "cta.copy_bw");
}

TEST(Transfer, EveryRuleHasANameAndASigma) {
  for (const TransferRule& rule : transfer_rules()) {
    EXPECT_FALSE(rule.name.empty());
    EXPECT_FALSE(rule.carries.empty());
    EXPECT_GE(rule.sigma_ln, 0);
  }
}

}  // namespace
}  // namespace fabricast
