// LL and LL128 on one device: what micro-benchmarks with known truth tell of each protocol's
// parameters, and what collectives that nobody fitted are then predicted to take.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "emulator/base/counter_rng.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/cost/micro_model.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast::line_parameters {
namespace {

constexpr const char* box_name = "hgx-h100";
constexpr auto cuda = ExecutorKind::cuda;
constexpr double noise = 0.01;
const std::vector<Protocol> all_protocols{Protocol::ll, Protocol::ll128, Protocol::simple};

ParameterValues truth_of(const Topology& box) {
  auto truth = values_of(prior_profile(box, cuda));
  truth.at("cuda.launch") *= 0.7;
  truth.at("cuda.handoff.ll") *= 0.6;
  truth.at("cuda.handoff.ll128") *= 1.3;
  truth.at("cuda.handoff.simple") *= 0.8;
  truth.at("cuda.cta_copy_bw") *= 1.4;
  truth.at("cuda.line_ratio.ll") = 0.34;
  truth.at("cuda.line_ratio.ll128") = 0.71;
  truth.at("cuda.await_ratio.ll") = 0.8;
  truth.at("cuda.await_ratio.ll128") = 0.3;
  truth.at("cuda.order.ll") = 1.6;
  truth.at("cuda.order.ll128") = 0.5;
  return truth;
}

Conditions micro(const std::string& suite, const std::string& algorithm,
                 const std::string& protocol, std::int32_t ctas, std::int64_t bytes) {
  Conditions c;
  c.executor = cuda;
  c.machine = box_name;
  c.suite = suite;
  c.algorithm = algorithm;
  c.protocol = protocol;
  c.channels = ctas;
  c.bytes = bytes;
  return c;
}

void add(SampleSet& set, const ParameterValues& truth, Conditions c, std::uint64_t seed) {
  const auto index = static_cast<std::int32_t>(set.conditions.size());
  const double value = c.parameter.empty() ? micro_time_us(truth, c) : truth.at(c.parameter);
  set.conditions.push_back(std::move(c));
  for (int i = 0; i < 30; ++i) {
    const double n =
        random_normal(seed, static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(i));
    set.samples.push_back({index, i, value * std::exp(noise * n), false});
  }
}

// As `fabricast suites` measures them.
SampleSet suites(const ParameterValues& truth, std::uint64_t seed) {
  SampleSet set;
  for (const std::string id :
       {"cuda.launch", "cuda.handoff.ll", "cuda.handoff.ll128", "cuda.handoff.simple"}) {
    Conditions c = micro("direct", "", "none", 2, 120);
    c.parameter = id;
    add(set, truth, c, seed);
  }
  for (const std::int32_t ctas : {1, 4, 16, 132}) {
    for (const std::string variant : {"copy", "reduce_2"}) {
      for (const std::int64_t bytes : {1LL << 20, 1LL << 24, 1LL << 26, 1LL << 29}) {
        add(set, truth, micro("reduce_copy", variant, "none", ctas, bytes), seed);
      }
    }
    for (const std::string protocol : {"ll", "ll128"}) {
      for (const std::string variant : {"move", "await_move"}) {
        add(set, truth, micro("lines", variant, protocol, ctas, 3 << 20), seed);
      }
    }
  }
  for (const std::string protocol : {"ll", "ll128"}) {
    add(set, truth, micro("hand_off", "ordered_ping_pong", protocol, 2, 120), seed);
  }
  return set;
}

// Four algorithms under all protocols on `ranks` CTAs.
void add_collectives(SampleSet& set, const ParameterValues& truth, std::int32_t ranks) {
  const auto box = with_ranks(load_machine(box_name), ranks);
  const auto sizes = sizes_between(1 << 10, 1 << 26, 16);
  const std::vector<SampledSweep> sweeps{
      {Collective::all_reduce, "ring", all_protocols, sizes},
      {Collective::all_reduce, "tree", all_protocols, sizes},
      {Collective::all_reduce, "halving_doubling", all_protocols, sizes},
      {Collective::all_to_all, "pairwise", all_protocols, sizes}};
  append(set, draw(*box, cuda, truth, sweeps, noise, 17));
}

TEST(LineParameters, AreFoundWithinTheirUncertaintyByTheSuitesAlone) {
  const auto box = load_machine(box_name);
  const auto truth = truth_of(*box);
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto profile = calibrate(*box, prior_profile(*box, cuda), suites(truth, seed));
    for (const ParameterValue& p : profile.parameters) {
      if (p.spec.protocol.empty()) continue;
      EXPECT_EQ(p.identified, Identified::identified) << p.spec.id;
      EXPECT_LT(std::abs(std::log(p.value / truth.at(p.spec.id))), 3 * p.sigma_ln + 1e-3)
          << p.spec.id << " seed " << seed;
      EXPECT_LT(p.sigma_ln, 0.1) << p.spec.id;
    }
  }
}

TEST(LineParameters, PredictCollectivesThatNobodyFitted) {
  const auto box = load_machine(box_name);
  const auto truth = truth_of(*box);
  SampleSet collectives;
  for (const std::int32_t ranks : {2, 4, 8}) add_collectives(collectives, truth, ranks);
  CalibrateOptions options;
  options.against = &collectives;
  const auto profile = calibrate(*box, prior_profile(*box, cuda), suites(truth, 5), options);
  for (const Protocol protocol : all_protocols) {
    std::vector<double> errors;
    for (const HoldoutPoint& h : profile.holdout) {
      if (h.point.protocol == to_string(protocol)) {
        errors.push_back(std::abs(h.predicted_us / h.measured_us - 1));
      }
    }
    ASSERT_GE(errors.size(), 30u) << to_string(protocol);
    std::sort(errors.begin(), errors.end());
    EXPECT_LT(errors[errors.size() / 2], 0.05) << to_string(protocol);
    EXPECT_LT(errors[errors.size() * 95 / 100], 0.15) << to_string(protocol);
  }
}

// Collectives under one protocol say nothing of what only another has.
TEST(LineParameters, SamplesOfAProtocolLeaveTheOthersAlone) {
  const auto box = load_machine(box_name);
  const auto prior = prior_profile(*box, cuda);
  for (const Protocol sampled : all_protocols) {
    std::vector<SampledSweep> sweeps;
    for (const std::string algorithm : {"ring", "tree"}) {
      sweeps.push_back(
          {Collective::all_reduce, algorithm, {sampled}, sizes_between(1 << 10, 1 << 24, 8)});
    }
    const auto profile = calibrate(*box, prior, draw(*box, cuda, truth_of(*box), sweeps, noise, 3));
    int own = 0;
    for (const ParameterValue& p : profile.parameters) {
      const bool of_a_protocol = !p.spec.protocol.empty() || p.spec.id.starts_with("cuda.handoff.");
      if (!of_a_protocol) continue;
      if (p.spec.id.ends_with("." + std::string(to_string(sampled)))) {
        own += p.identified != Identified::prior ? 1 : 0;
      } else {
        EXPECT_EQ(p.value, p.prior.value) << p.spec.id << " by " << to_string(sampled);
        EXPECT_EQ(p.identified, Identified::prior) << p.spec.id << " by " << to_string(sampled);
      }
    }
    EXPECT_GE(own, 1) << to_string(sampled);
  }
}

// With and without a measurement folder: exactly the rows of its protocol move, and where a
// schedule has one role only those that its fences and passes are not part of stay.
TEST(LineParameters, AMeasurementMovesTheRowsThatHoldIt) {
  const auto box = load_machine(box_name);
  const auto values = values_of(prior_profile(*box, cuda));
  const auto time = [&](const ParameterValues& at, const std::string& algorithm,
                        Protocol protocol) {
    auto point = point_of(cuda, Collective::all_reduce, algorithm, protocol, 1 << 22);
    point.channels = 1;
    return predict_time(*box, at, point);
  };
  for (const std::string changed :
       {"cuda.line_ratio.ll", "cuda.line_ratio.ll128", "cuda.await_ratio.ll",
        "cuda.await_ratio.ll128", "cuda.order.ll", "cuda.order.ll128"}) {
    auto other = values;
    other.at(changed) *= 2;
    for (const std::string algorithm : {"ring", "tree"}) {
      for (const Protocol protocol : all_protocols) {
        const bool own = changed.ends_with("." + std::string(to_string(protocol)));
        const bool held = own && (algorithm == "tree" || changed.starts_with("cuda.line_ratio"));
        EXPECT_EQ(time(other, algorithm, protocol) != time(values, algorithm, protocol), held)
            << changed << " " << algorithm << " " << to_string(protocol);
      }
    }
  }
}

// A ring's lines flow on as they come, a tree's are awaited: beside the same copy rate a hop of a
// long message costs a ring's lane a line, a tree's the message.
TEST(LineParameters, LinesFlowWhereLanesShareNothing) {
  const auto hop = [&](Protocol protocol) {
    const auto us = [&](std::int32_t ranks) {
      const auto box = with_ranks(load_machine(box_name), ranks);
      auto point = point_of(cuda, Collective::broadcast, "ring", protocol, 32 << 10);
      point.channels = 1;
      return to_us(predict_time(*box, values_of(prior_profile(*box, cuda)), point));
    };
    return (us(8) - us(4)) / 4;
  };
  const auto values = values_of(prior_profile(*load_machine(box_name), cuda));
  EXPECT_LT(hop(Protocol::ll), values.at("cuda.handoff.ll") + 0.1);
  EXPECT_LT(hop(Protocol::ll128), values.at("cuda.handoff.ll128") + 0.1);
  EXPECT_GT(hop(Protocol::simple), values.at("cuda.handoff.simple") + 0.8);
  // In one domain a tree is a chain up and down, and a hop of it the whole message in lines.
  const auto hop_of_tree = [&](Protocol protocol) {
    const auto us = [&](std::int32_t ranks) {
      const auto box = with_ranks(load_machine(box_name), ranks);
      auto point = point_of(cuda, Collective::all_reduce, "tree", protocol, 32 << 10);
      point.channels = 1;
      return to_us(predict_time(*box, values_of(prior_profile(*box, cuda)), point));
    };
    return (us(8) - us(4)) / 8;
  };
  const double copy_us = (32 << 10) / 1e3 / values.at("cuda.cta_copy_bw");
  for (const Protocol protocol : {Protocol::ll, Protocol::ll128}) {
    const std::string name(to_string(protocol));
    EXPECT_GT(hop_of_tree(protocol),
              values.at("cuda.handoff." + name) + values.at("cuda.order." + name) + 2 * copy_us)
        << name;
  }
}

}  // namespace
}  // namespace fabricast::line_parameters
