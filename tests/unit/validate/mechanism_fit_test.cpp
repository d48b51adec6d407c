#include "emulator/validate/mechanism_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace fabricast {
namespace {

TimeShape box(int nodes) {
  TimeShape shape;
  shape.ranks = 8 * nodes;
  shape.nodes = nodes;
  shape.link_gbps = 450;
  if (nodes > 1) {
    shape.network = TimeNetwork::infiniband;
    shape.nic_gbps = 400;
    shape.one_nic_gbps = 50;
  }
  return shape;
}

// A sweep over sizes whose truth has one mechanism at `factor` of its prior.
std::vector<MechanismPoint> sweep(const std::string& system, int nodes, Mechanism changed,
                                  double factor) {
  std::vector<MechanismPoint> points;
  for (double bytes = 1024; bytes < 2e10; bytes *= 4) {
    MechanismPoint point;
    point.time_case = {box(nodes), Collective::all_gather, bytes};
    point.choice.protocol = bytes < 1e6 ? TimeProtocol::ll : TimeProtocol::simple;
    point.choice.channels = std::clamp(bytes / 32768, 1.0, 32.0);
    point.system = system;
    MechanismValues truth = mechanism_priors(point.time_case.shape);
    truth[index_of(changed)] *= factor;
    point.log_time = std::log(time_us(point.time_case, point.choice, truth));
    point.sigma = 0.05;
    points.push_back(point);
  }
  return points;
}

TEST(MechanismPriors, CallsOfOneProcessAreEnqueuedInARow) {
  TimeShape shape;
  shape.ranks = shape.host_ranks = 8;
  const auto in_a_row = [](const TimeShape& of) {
    return mechanism_priors(of).at(static_cast<std::size_t>(Mechanism::launch_sharing));
  };
  EXPECT_DOUBLE_EQ(in_a_row(shape), 1);
  shape.process_per_gpu = true;
  EXPECT_LT(in_a_row(shape), 0.5);
}

TEST(MechanismFit, WithoutPointsItIsThePriors) {
  const MechanismFit fit({});
  const MechanismValues priors = mechanism_priors(box(2));
  const MechanismValues values = fit.values(box(2), "any");
  for (std::size_t m = 0; m < mechanism_count; ++m) EXPECT_DOUBLE_EQ(values[m], priors[m]);
}

TEST(MechanismFit, FindsTheMechanismThatDiffers) {
  const auto points = sweep("slow NICs", 4, Mechanism::nic_efficiency, 0.8);
  const MechanismFit fit(points);
  const double ratio = fit.values(box(4), "slow NICs")[index_of(Mechanism::nic_efficiency)] /
                       mechanism_priors(box(4))[index_of(Mechanism::nic_efficiency)];
  EXPECT_NEAR(ratio, 0.8, 0.05);
  for (const MechanismPoint& point : points) {
    const double time = fit.predict(point.time_case, point.choice, point.system).time_us;
    EXPECT_NEAR(std::log(time), point.log_time, 0.05);
  }
}

TEST(MechanismFit, AnotherSystemLearnsAPartOfIt) {
  auto points = sweep("a", 4, Mechanism::link_hop_ll, 1.5);
  const MechanismFit one(points);
  const auto more = sweep("b", 4, Mechanism::link_hop_ll, 1.5);
  points.insert(points.end(), more.begin(), more.end());
  const MechanismFit two(points);
  const std::size_t hop = index_of(Mechanism::link_hop_ll);
  const double prior = mechanism_priors(box(4))[hop];
  const double after_one = one.values(box(4), "c")[hop] / prior;
  const double after_two = two.values(box(4), "c")[hop] / prior;
  EXPECT_GT(after_one, 1.05);
  EXPECT_GT(after_two, after_one);
  EXPECT_LT(after_two, 1.5);
}

TEST(MechanismFit, IntervalsShrinkWithKnowledge) {
  const auto points = sweep("known", 4, Mechanism::kernel_start, 1.2);
  const MechanismFit fit(points);
  const auto& point = points.front();
  const double known = fit.predict(point.time_case, point.choice, "known").sigma;
  const double unknown = fit.predict(point.time_case, point.choice, "unknown").sigma;
  const double prior = MechanismFit({}).predict(point.time_case, point.choice, "known").sigma;
  EXPECT_LT(known, unknown);
  EXPECT_LT(unknown, prior);
}

TEST(MechanismFit, AnOutlierMovesLittle) {
  auto points = sweep("system", 4, Mechanism::kernel_start, 1.0);
  const MechanismFit clean(points);
  points[points.size() / 2].log_time += 2;  // a factor of seven
  const MechanismFit dirty(points);
  for (const MechanismPoint& point : points) {
    const double a = clean.predict(point.time_case, point.choice, "system").time_us;
    const double b = dirty.predict(point.time_case, point.choice, "system").time_us;
    EXPECT_NEAR(std::log(b / a), 0, 0.15);
  }
}

}  // namespace
}  // namespace fabricast
