// The interpreter between GPUs and the switch's own all-reduce, on machines whose truth is known:
// what point-to-point messages and chains of them tell, and what other collectives are then
// predicted to take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "emulator/base/error.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/profile/inventory.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast::peer_parameters {
namespace {

constexpr auto peers = ExecutorKind::peers;
constexpr double noise = 0.01;

std::string pcie_box(const std::string& bandwidth) {
  return R"(name: pcie-box
title: Four cards behind PCIe
kind: single_node
gpus: [4, assumed, "a test"]
gpu: {name: L40S, generation: ampere}
interconnect:
  kind: pcie
  bandwidth: [)" +
         bandwidth + R"(, assumed, "a test"]
  latency: [300 ns, assumed, "a test"]
channels: [2, assumed, "a test"]
)";
}

// Under "slow_pcie" one CTA is as fast as the link: which of the two a time is of does not show.
std::shared_ptr<const Topology> machine_of(const std::string& path) {
  if (path == "nvlink") return load_machine("hgx-h100");
  return parse_machine(pcie_box(path == "pcie" ? "64 GB/s" : "32 GB/s"), "pcie-box");
}

std::vector<Protocol> protocols_over(const std::string& path) {
  if (path == "nvlink") return {Protocol::ll, Protocol::ll128, Protocol::simple};
  return {Protocol::ll, Protocol::simple};
}

// Somewhere else than the priors, deterministically.
ParameterValues truth_of(const Topology& machine) {
  auto truth = values_of(prior_profile(machine, peers));
  double factor = 0.6;
  for (auto& [id, value] : truth) {
    if (!id.starts_with("peer.")) continue;
    value *= id.find("efficiency") == std::string::npos ? factor : 1 + (factor - 1) / 5;
    factor = factor < 1.3 ? factor + 0.17 : 0.6;
  }
  if (truth.contains("peer.nvlink.cta_bw.multimem")) {
    truth.at("peer.nvlink.cta_bw.multimem") = 11;  // one CTA does not fill the link
  }
  return truth;
}

// Point to point, chains of it, and trees, whose lanes share data.
SampleSet measured(const Topology& machine, const ParameterValues& truth,
                   const std::vector<Protocol>& protocols, std::uint64_t seed) {
  const auto all = sizes_between(1 << 10, 1 << 28, 4);
  return draw(machine, peers, truth,
              {{Collective::send_recv, "direct", protocols, all, 1},
               {Collective::send_recv, "direct", protocols, all, 16},
               {Collective::broadcast, "ring", protocols, all, 1},
               {Collective::reduce, "ring", protocols, all, 1},
               {Collective::all_reduce, "tree", protocols, all, 1}},
              noise, seed);
}

SampleSet unseen(const Topology& machine, const ParameterValues& truth,
                 const std::vector<Protocol>& protocols) {
  const auto sizes = sizes_between(1 << 10, 1 << 28, 8);
  return draw(machine, peers, truth,
              {{Collective::all_reduce, "ring", protocols, sizes, 1},
               {Collective::all_reduce, "ring", protocols, sizes, 16},
               {Collective::all_reduce, "halving_doubling", protocols, sizes, 4},
               {Collective::all_gather, "ring", protocols, sizes, 4},
               {Collective::all_to_all, "pairwise", protocols, sizes, 2}},
              noise, 99);
}

void expect_small_errors(const std::vector<HoldoutPoint>& holdout, std::size_t least) {
  std::vector<double> errors;
  for (const HoldoutPoint& h : holdout) {
    errors.push_back(std::abs(h.predicted_us / h.measured_us - 1));
  }
  ASSERT_GE(errors.size(), least);
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.05);
  EXPECT_LT(errors[errors.size() * 95 / 100], 0.15);
}

class PeerParameters : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Paths, PeerParameters, testing::Values("nvlink", "pcie", "slow_pcie"));

// Not under "slow_pcie", whose two rates are one.
class PeerTruths : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Paths, PeerTruths, testing::Values("nvlink", "pcie"));

TEST_P(PeerTruths, AreFoundWithinTheirUncertainty) {
  const auto machine = machine_of(GetParam());
  const auto truth = truth_of(*machine);
  const auto profile = calibrate(*machine, prior_profile(*machine, peers),
                                 measured(*machine, truth, protocols_over(GetParam()), 4));
  for (const ParameterValue& p : profile.parameters) {
    if (p.spec.of_machine || p.spec.protocol == "multimem") continue;
    EXPECT_NE(p.identified, Identified::prior) << p.spec.id;
    EXPECT_LT(std::abs(std::log(p.value / truth.at(p.spec.id))), 3 * p.sigma_ln + 1e-3)
        << p.spec.id << " " << p.value << " for " << truth.at(p.spec.id);
  }
}

TEST_P(PeerParameters, PredictCollectivesThatNobodyFitted) {
  const auto machine = machine_of(GetParam());
  const auto truth = truth_of(*machine);
  const auto protocols = protocols_over(GetParam());
  const SampleSet others = unseen(*machine, truth, protocols);
  CalibrateOptions options;
  options.against = &others;
  options.holdout_fraction = 0;
  const auto profile = calibrate(*machine, prior_profile(*machine, peers),
                                 measured(*machine, truth, protocols, 5), options);
  for (const Protocol protocol : protocols) {
    std::vector<HoldoutPoint> own;
    for (const HoldoutPoint& h : profile.holdout) {
      if (h.point.protocol == to_string(protocol)) own.push_back(h);
    }
    SCOPED_TRACE(to_string(protocol));
    expect_small_errors(own, 30);
  }
}

TEST_P(PeerParameters, SamplesOfAProtocolLeaveTheOthersAlone) {
  const auto machine = machine_of(GetParam());
  const auto prior = prior_profile(*machine, peers);
  for (const Protocol sampled : protocols_over(GetParam())) {
    const auto profile =
        calibrate(*machine, prior, measured(*machine, truth_of(*machine), {sampled}, 6));
    for (const ParameterValue& p : profile.parameters) {
      if (p.spec.protocol.empty() || p.spec.protocol == to_string(sampled)) continue;
      EXPECT_EQ(p.value, p.prior.value) << p.spec.id << " by " << to_string(sampled);
    }
  }
}

// Halved, each moves its own rows and no others.
TEST_P(PeerParameters, EachReachesAPrediction) {
  const auto machine = machine_of(GetParam());
  const auto values = values_of(prior_profile(*machine, peers));
  std::vector<PointSpec> points;
  for (const std::string algorithm : {"ring", "tree", "nvls"}) {
    for (const Protocol protocol :
         offered_protocols(*machine, peers, Collective::all_reduce, algorithm)) {
      if ((protocol == Protocol::multimem) != (algorithm == "nvls")) continue;
      for (const std::int32_t channels : {1, 32}) {
        for (const std::int64_t bytes : {1LL << 12, 1LL << 28}) {
          points.push_back(point_of(peers, Collective::all_reduce, algorithm, protocol, bytes));
          points.back().channels = channels;
        }
      }
    }
  }
  for (const auto& [id, value] : values) {
    if (!id.starts_with("peer.")) continue;
    const std::string protocol = parameter_spec(id).protocol;
    auto other = values;
    other.at(id) *= 0.5;
    int moved = 0;
    for (const PointSpec& point : points) {
      const bool same =
          predict_time(*machine, values, point) == predict_time(*machine, other, point);
      moved += same ? 0 : 1;
      if (!protocol.empty() && protocol != to_string(point.protocol)) {
        EXPECT_TRUE(same) << id << " moved " << point.algorithm << " " << to_string(point.protocol);
      }
    }
    EXPECT_GT(moved, 0) << id << " changes no prediction";
  }
}

TEST(PeerModel, RefusesWhatTheInterpreterDoes) {
  const auto pcie = machine_of("pcie");
  const auto values = values_of(prior_profile(*pcie, peers));
  auto point = point_of(peers, Collective::all_reduce, "ring", Protocol::ll128, 1 << 20);
  EXPECT_THROW(predict_time(*pcie, values, point), UsageError);
  point = point_of(peers, Collective::all_reduce, "nvls", Protocol::multimem, 1 << 20);
  EXPECT_THROW(predict_time(*pcie, values, point), UsageError);
  const auto cluster = load_machine("hgx-h100x1260");
  point = point_of(peers, Collective::all_reduce, "ring", Protocol::simple, 1 << 20);
  EXPECT_THROW(predict_time(*cluster, values_of(prior_profile(*cluster, peers)), point),
               UsageError);
}

// The samples of one device and those between devices are told apart by their suite alone.
TEST(PeerModel, SamplesOfOneDeviceAreNotItsOwn) {
  const auto box = load_machine("hgx-h100");
  const auto set = measured(*box, truth_of(*box), {Protocol::simple}, 1);
  EXPECT_THROW(calibrate(*box, prior_profile(*box, ExecutorKind::cuda), set), UsageError);
  auto of_device = set;
  for (auto& c : of_device.conditions) c.suite = "collective";
  EXPECT_THROW(calibrate(*box, prior_profile(*box, peers), of_device), UsageError);
}

// Samples whose protocol somebody chose: of those that the machine has.
TEST(PeerModel, AChosenProtocolIsOneOfTheMachines) {
  const auto box = machine_of("pcie");
  auto samples = measured(*box, truth_of(*box), {Protocol::simple}, 1);
  for (auto& c : samples.conditions) c.protocol = "auto";
  EXPECT_NO_THROW(calibrate(*box, prior_profile(*box, peers), samples));
}

// --- the switch's own all-reduce ---

SampledSweep in_switch(std::int32_t channels, std::int64_t factor) {
  return {Collective::all_reduce,
          "nvls",
          {Protocol::multimem},
          sizes_between(1 << 10, 1LL << 30, factor),
          channels};
}

TEST(Multimem, ATimeIsTwoMeetingsAndTheSlowerPath) {
  const auto box = load_machine("hgx-h100");
  auto values = values_of(prior_profile(*box, peers));
  values.at("peer.launch") = 10;
  values.at("peer.meeting.multimem") = 2;
  values.at("peer.nvlink.cta_bw.multimem") = 5;
  values.at("peer.nvlink.efficiency.multimem") = 0.5;
  const auto us = [&](std::int64_t bytes, std::int32_t channels) {
    auto point = point_of(peers, Collective::all_reduce, "nvls", Protocol::multimem, bytes);
    point.channels = channels;
    return to_us(predict_time(*box, values, point));
  };
  constexpr std::int64_t gib = 1 << 30;
  const double s = static_cast<double>(gib) / 1e3;  // us of a byte at 1 GB/s
  EXPECT_NEAR(us(gib, 1), 14 + s / 8 / 5, 0.01);
  EXPECT_NEAR(us(gib, 4), 14 + s / 32 / 5, 0.01);
  // 450 GB/s one way, half of it usable; every link carries nine eighths of the message.
  EXPECT_NEAR(us(gib, 64), 14 + s * 9 / 8 / 225, 0.1);
  EXPECT_NEAR(us(4, 1), 14, 0.01);
}

TEST(Multimem, ItsLinksCarryNineEighthsOfTheMessageAndNoMoreThanTheyCan) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, peers));
  auto point = point_of(peers, Collective::all_reduce, "nvls", Protocol::multimem, 1 << 28);
  point.channels = 32;
  const auto made = build_case(*box, values, point);
  ASSERT_EQ(made.loads.size(), 1u);
  EXPECT_EQ(made.loads.front().busiest_bytes, (1 << 28) / 8 * 9);
  EXPECT_EQ(made.loads.front().links, 16);
  EXPECT_GT(predict_time(*box, values, point), made.bandwidth_bound);
}

TEST(Multimem, ItsParametersAreFoundBesideSendRecvAndPredictOtherSizesAndCtas) {
  const auto box = load_machine("hgx-h100");
  const auto truth = truth_of(*box);
  SampleSet samples = measured(*box, truth, {Protocol::simple}, 8);
  append(samples, draw(*box, peers, truth, {in_switch(1, 8), in_switch(32, 8)}, noise, 9));
  const SampleSet others = draw(*box, peers, truth, {in_switch(4, 2), in_switch(16, 2)}, noise, 10);
  CalibrateOptions options;
  options.against = &others;
  options.holdout_fraction = 0;
  const auto profile = calibrate(*box, prior_profile(*box, peers), samples, options);
  for (const ParameterValue& p : profile.parameters) {
    if (p.spec.protocol != "multimem") continue;
    EXPECT_EQ(p.identified, Identified::identified) << p.spec.id;
    EXPECT_LT(std::abs(std::log(p.value / truth.at(p.spec.id))), 3 * p.sigma_ln + 1e-3)
        << p.spec.id;
  }
  expect_small_errors(profile.holdout, 30);
  // Every fourth size of its own sweeps is held out by itself, and lies inside its interval.
  const auto alone = calibrate(*box, prior_profile(*box, peers), samples);
  int held = 0, inside = 0;
  for (const HoldoutPoint& h : alone.holdout) {
    if (h.point.protocol != "multimem") continue;
    ++held;
    inside += h.inside_interval ? 1 : 0;
  }
  EXPECT_GE(held, 2);
  EXPECT_EQ(inside, held);
}

TEST(Multimem, IntegersAreMeasuredAndNotFitted) {
  const auto box = load_machine("hgx-h100");
  auto samples = draw(*box, peers, truth_of(*box), {in_switch(4, 8)}, noise, 11);
  for (auto& c : samples.conditions) c.dtype = "int32";
  EXPECT_THAT([&] { calibrate(*box, prior_profile(*box, peers), samples); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("multimem on int32")));
  EXPECT_EQ(not_fitted(samples.conditions.front()).what, "multimem on int32");
  for (auto& c : samples.conditions) {
    c.dtype = "float32";
    c.algorithm = "two_shot";
  }
  EXPECT_EQ(not_fitted(samples.conditions.front()).what, "two_shot");
}

// A CTA more per GPU is asked for, here as by measure.
TEST(PeerModel, OneChannelUnlessSomebodySaysMore) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, peers));
  auto point = point_of(peers, Collective::all_reduce, "ring", Protocol::simple, 1 << 28);
  EXPECT_EQ(build_case(*box, values, point).plan.channels.size(), 1u);
  point.channels = 16;
  EXPECT_EQ(build_case(*box, values, point).plan.channels.size(), 16u);
}

}  // namespace
}  // namespace fabricast::peer_parameters
