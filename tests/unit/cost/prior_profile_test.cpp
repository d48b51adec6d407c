#include <gtest/gtest.h>

#include <cmath>

#include "emulator/base/error.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/profile/inventory.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

TEST(PriorProfile, NothingIsMeasured) {
  const auto profile = prior_profile(*load_machine("gb300-nvl72x140"), ExecutorKind::nccl);
  for (const ParameterValue& parameter : profile.parameters) {
    EXPECT_NE(parameter.origin, ParameterOrigin::measured) << parameter.spec.id;
    EXPECT_EQ(parameter.value, parameter.prior.value) << parameter.spec.id;
    EXPECT_EQ(parameter.identified, Identified::prior) << parameter.spec.id;
    EXPECT_FALSE(parameter.source.empty()) << parameter.spec.id;
    EXPECT_FALSE(parameter.scope_key.empty()) << parameter.spec.id;
  }
  EXPECT_TRUE(profile.evidence.empty());
}

TEST(PriorProfile, OnlyWhatTheMachineHas) {
  const auto box = prior_profile(*load_machine("hgx-h100"), ExecutorKind::nccl);
  EXPECT_NE(box.find("nvlink.efficiency"), nullptr);
  EXPECT_EQ(box.find("nic.bandwidth"), nullptr);
  EXPECT_EQ(box.find("net.step.ll"), nullptr);
  const auto cluster = prior_profile(*load_machine("hgx-h100x1260"), ExecutorKind::nccl);
  EXPECT_NE(cluster.find("net.step.ll"), nullptr);
  EXPECT_NE(cluster.find("spine_uplink.efficiency"), nullptr);
  EXPECT_EQ(cluster.find("host.step"), nullptr);
}

TEST(PriorProfile, ParametersOfOtherProtocolsAreLeftOut) {
  const auto box = load_machine("hgx-h100");
  const auto simple = prior_profile(*box, ExecutorKind::cuda, {Protocol::simple});
  EXPECT_EQ(simple.find("cuda.line_ratio.ll"), nullptr);
  EXPECT_NE(simple.find("cuda.handoff.ll"), nullptr) << "rule interpreter-hand-offs carries it";
  const auto ll = prior_profile(*box, ExecutorKind::cuda, {Protocol::ll});
  EXPECT_NE(ll.find("cuda.line_ratio.ll"), nullptr);
  EXPECT_EQ(ll.find("cuda.line_ratio.ll128"), nullptr);
  EXPECT_EQ(prior_profile(*box, ExecutorKind::cuda).parameters.size(),
            simple.parameters.size() + 6);
}

TEST(PriorProfile, LinkFiguresComeFromTheMachineFile) {
  const auto topology = load_machine("hgx-h100");
  const auto profile = prior_profile(*topology, ExecutorKind::nccl);
  const LinkClass& nvlink = topology->link_classes().front();
  const ParameterValue* bandwidth = profile.find("nvlink.bandwidth");
  ASSERT_NE(bandwidth, nullptr);
  EXPECT_EQ(bandwidth->value, nvlink.bandwidth.value);
  EXPECT_EQ(bandwidth->source, nvlink.bandwidth.source);
  EXPECT_EQ(bandwidth->origin, ParameterOrigin::datasheet);
  const ParameterValue* latency = profile.find("nvlink.latency");
  EXPECT_EQ(latency->sigma_ln, machine_figure_sigma(latency->origin, true));
  // The rate is stated; the efficiency that multiplies it carries the doubt about both.
  EXPECT_EQ(bandwidth->sigma_ln, 0);
  const Prior alone = prior_of(parameter_spec("nvlink.efficiency"), "hopper");
  EXPECT_DOUBLE_EQ(
      profile.find("nvlink.efficiency")->sigma_ln,
      std::hypot(alone.sigma_ln, machine_figure_sigma(ParameterOrigin::datasheet, false)));
}

// Whatever a profile says, a link carries no more than the machine file states.
TEST(PriorProfile, CapacityIsTheMachineFilesNotTheProfiles) {
  const auto topology = load_machine("hgx-h100");
  auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  values.at("nvlink.bandwidth") *= 0.9;
  PointSpec point;
  point.algorithm = "ring";
  point.bytes = 1 << 20;
  const auto made = build_case(*topology, values, point);
  EXPECT_DOUBLE_EQ(to_gb_per_s(made.loads.front().capacity),
                   topology->link_classes().front().bandwidth.value);
}

// A hop of the model is what was published for a hop: hand-off plus the machine's links.
TEST(PriorProfile, LatencyIsNotCountedTwice) {
  const auto topology = load_machine("hgx-h100x1260");
  const auto profile = prior_profile(*topology, ExecutorKind::nccl);
  const double step = profile.value("nvlink.step.ll");
  const double links = 2 * profile.value("nvlink.latency");
  const Prior hop = prior_of(parameter_spec("nvlink.step.ll"), "hopper");
  EXPECT_NEAR(step + links, hop.value, 1e-9);
  const Prior ratio = prior_of(parameter_spec("nvlink.step_ratio.simple"), "hopper");
  EXPECT_NEAR(step * profile.value("nvlink.step_ratio.simple") + links, hop.value * ratio.value,
              1e-9);
  const Prior net = prior_of(parameter_spec("net.step.simple"), "hopper");
  EXPECT_NEAR(profile.value("net.step.simple") + 2 * profile.value("nic.latency"), net.value, 1e-9);
  // The route alone exceeds NCCL's LL hop: the proxy's overhead is left.
  EXPECT_DOUBLE_EQ(profile.value("net.step.ll"), 1.0);
  // What is left of a difference keeps the absolute error of the whole.
  EXPECT_NEAR(profile.find("nvlink.step.ll")->sigma_ln * step, hop.sigma_ln * hop.value, 1e-9);
}

// The interpreter's hand-offs between GPUs rest on NCCL's hops, and are beyond the links as well.
TEST(PriorProfile, LatencyIsNotCountedTwiceBetweenGpus) {
  const auto box = load_machine("hgx-h100");
  const auto profile = prior_profile(*box, ExecutorKind::peers);
  const double links = 2 * profile.value("nvlink.latency");
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    const std::string id = "peer.nvlink.handoff." + protocol;
    const Prior hop = prior_of(parameter_spec(id), "hopper");
    EXPECT_NEAR(profile.value(id) + links, hop.value, 1e-9) << id;
  }
}

// What crosses a link is a figure of that link: a profile over NVLink says nothing of PCIe.
TEST(PriorProfile, OrderBetweenGpusIsOfTheLink) {
  const auto box = prior_profile(*load_machine("hgx-h100"), ExecutorKind::peers);
  EXPECT_NE(box.find("peer.nvlink.order.ll"), nullptr);
  EXPECT_NE(box.find("peer.nvlink.order.ll128"), nullptr);
  const auto cards = prior_profile(*load_machine("h100-pcie"), ExecutorKind::peers);
  EXPECT_NE(cards.find("peer.pcie.order.ll"), nullptr);
  for (const ParameterValue& p : cards.parameters) {
    if (p.spec.of_machine || p.spec.id == "peer.launch") continue;
    EXPECT_EQ(box.find(p.spec.id), nullptr) << p.spec.id;
  }
}

TEST(PriorProfile, AnExecutorThatDoesNotRunThereIsAnError) {
  EXPECT_THROW(prior_profile(*load_machine("hgx-h100"), ExecutorKind::host), UsageError);
}

}  // namespace
}  // namespace fabricast
