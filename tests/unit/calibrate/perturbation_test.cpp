// The test of DESIGN 2a: halve one measured quantity of the truth, measure and calibrate again.
// Exactly the rows whose critical path holds it move, by the amount the forward model says.
#include <gtest/gtest.h>

#include <cmath>

#include "emulator/calibrate/predictor.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

std::vector<PointSpec> perturbed_rows() {
  std::vector<PointSpec> points;
  for (const Protocol protocol : {Protocol::ll, Protocol::simple}) {
    for (const std::int64_t bytes : {8LL, 1LL << 15, 1LL << 21, 1LL << 27, 1LL << 33}) {
      points.push_back(
          point_of(ExecutorKind::nccl, Collective::all_reduce, "ring", protocol, bytes));
      points.push_back(
          point_of(ExecutorKind::nccl, Collective::reduce_scatter, "ring", protocol, bytes));
      points.push_back(
          point_of(ExecutorKind::nccl, Collective::all_reduce, "tree", protocol, bytes));
    }
  }
  return points;
}

double ln_time(const Topology& topology, const ParameterValues& values, const PointSpec& point) {
  return std::log(to_us(predict_time(topology, values, point)));
}

void halve(const std::string& id, double tolerance) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  // Two step counts on one machine tell launch from steps.
  const std::vector<SampledSweep> sweeps{{Collective::all_reduce,
                                          "ring",
                                          {Protocol::ll, Protocol::simple},
                                          sizes_between(8, 1LL << 33, 8)},
                                         {Collective::all_gather,
                                          "ring",
                                          {Protocol::ll, Protocol::simple},
                                          sizes_between(64, 1LL << 33, 16)},
                                         {Collective::all_reduce,
                                          "tree",
                                          {Protocol::ll, Protocol::simple},
                                          sizes_between(1 << 10, 1 << 28, 16)}};
  const auto before_truth = values_of(prior);
  auto after_truth = before_truth;
  after_truth.at(id) *= 0.5;
  const auto calibrated = [&](const ParameterValues& truth) {
    // Repeats agree (no noise): what moves, moves because the truth did.
    return values_of(
        calibrate(*box, prior, draw(*box, ExecutorKind::nccl, truth, sweeps, 0.0, 1, 3)));
  };
  const auto before = calibrated(before_truth);
  const auto after = calibrated(after_truth);
  int moved = 0, unmoved = 0;
  for (const PointSpec& point : perturbed_rows()) {
    const double expected = ln_time(*box, after_truth, point) - ln_time(*box, before_truth, point);
    const double seen = ln_time(*box, after, point) - ln_time(*box, before, point);
    EXPECT_NEAR(seen, expected, tolerance)
        << id << " " << to_string(point.collective) << " " << point.algorithm << " "
        << to_string(point.protocol) << " " << point.bytes;
    if (std::abs(expected) < 1e-9) {
      ++unmoved;
    } else if (std::abs(expected) > 0.1) {
      ++moved;
    }
  }
  EXPECT_GT(moved, 2) << id;
  EXPECT_GT(unmoved, 2) << id;
}

TEST(Perturbation, HalvedLaunchMovesItsProtocolOnly) { halve("launch.ll", 0.01); }
TEST(Perturbation, HalvedLinkEfficiencyMovesLargeMessagesOnly) { halve("nvlink.efficiency", 0.02); }
TEST(Perturbation, HalvedHandOffRatioMovesSimpleOnly) { halve("nvlink.step_ratio.simple", 0.01); }

// Measured directly, the step is exact: rows move by the model's own ratio, the others not at all.
TEST(Perturbation, DirectlyMeasuredQuantityMovesExactlyItsRows) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto profile_with = [&](double value) {
    SampleSet set;
    observe_directly(set, "hgx-h100", ExecutorKind::nccl, "nvlink.step_ratio.simple", value);
    return calibrate(*box, prior, set);
  };
  const double value = prior.value("nvlink.step_ratio.simple");
  const auto before = profile_with(value);
  const auto after = profile_with(value / 2);
  auto expected = values_of(before);
  expected.at("nvlink.step_ratio.simple") = after.value("nvlink.step_ratio.simple");
  EXPECT_EQ(values_of(after), expected);
  Predictor predictor(*box, before);
  for (const PointSpec& point : perturbed_rows()) {
    bool holds = false;
    for (const auto& share : predictor.predict(point).shares) {
      holds = holds || share.id == "nvlink.step_ratio.simple";
    }
    const double ln_ratio =
        ln_time(*box, values_of(after), point) - ln_time(*box, values_of(before), point);
    EXPECT_EQ(holds, ln_ratio < 0) << to_string(point.protocol) << " " << point.bytes;
    if (point.protocol == Protocol::ll) {
      EXPECT_EQ(ln_ratio, 0);
    }
  }
}

}  // namespace
}  // namespace fabricast
