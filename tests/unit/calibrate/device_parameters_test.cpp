// Parameters of one GPU: each reaches a prediction (R8), and what a campaign measures moves exactly
// the rows whose critical path holds it.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "emulator/base/error.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/calibrate/transfer.hpp"
#include "emulator/cost/micro_model.hpp"
#include "emulator/profile/inventory.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr const char* box_name = "hgx-h100";
constexpr auto cuda = ExecutorKind::cuda;

std::vector<PointSpec> rows() {
  std::vector<PointSpec> points;
  for (const std::string algorithm : {"ring", "tree", "halving_doubling"}) {
    for (const std::int64_t bytes : {1LL << 10, 1LL << 17, 1LL << 24, 1LL << 30}) {
      points.push_back(point_of(cuda, Collective::all_reduce, algorithm, Protocol::simple, bytes));
      points.back().channels = 1;
    }
  }
  points.push_back(point_of(cuda, Collective::all_gather, "ring", Protocol::simple, 1 << 20));
  // As many lanes as fill the memory: two ranks of CTAs would not.
  points.push_back(point_of(cuda, Collective::all_reduce, "ring", Protocol::simple, 1LL << 31));
  points.back().channels = 16;
  points.push_back(point_of(cuda, Collective::all_reduce, "ring", Protocol::simple, 1LL << 20));
  points.back().channels = 32;
  return points;
}

TEST(DeviceParameters, EachReachesAPredictionOfTheInterpreterOrOfNcclByARule) {
  const auto box = load_machine(box_name);
  auto values = values_of(prior_profile(*box, cuda));
  values.at("cuda.cta_copy_bw") *= 5;  // the memory is what limits
  std::set<std::string> moved;
  auto points = rows();
  for (const Protocol protocol : {Protocol::ll, Protocol::ll128}) {
    points.push_back(point_of(cuda, Collective::all_reduce, "tree", protocol, 1 << 20));
    points.back().channels = 1;
  }
  for (const auto& point : points) {
    for (const auto& at : {values, values_of(prior_profile(*box, cuda))}) {
      for (const Elasticity& e : elasticities(*box, at, point)) moved.insert(e.id);
    }
  }
  for (const ParameterSpec& spec : parameter_inventory()) {
    if (spec.executor != cuda || spec.of_machine || moved.contains(spec.id)) continue;
    // Not the interpreter's: then a named rule carries it.
    bool carried = false;
    for (const double factor : {0.5, 2.0}) {
      auto from = prior_profile(*box, cuda);
      for (const std::string& id :
           {std::string("cuda.handoff.simple"), std::string("cuda.handoff.ll"), spec.id}) {
        from.find(id)->origin = ParameterOrigin::measured;
        from.find(id)->sigma_ln = 0.02;
      }
      auto moved_from = from;
      moved_from.find(spec.id)->value *= factor;
      // A box without NVLink has PCIe.
      for (const std::string nvlink : {"yes", "no"}) {
        const auto target = nvlink == "yes" ? box
                                            : parse_machine(R"(name: pcie-box
title: four GPUs
kind: single_node
gpus: [4, assumed, chosen]
gpu:
  name: H100
  generation: hopper
  hbm: [80 GB, assumed, chosen]
interconnect:
  kind: pcie
  bandwidth: [64 GB/s, assumed, chosen]
  latency: [1 us, assumed, chosen]
channels: [2, assumed, chosen]
)",
                                                            "pcie-box");
        auto one = prior_profile(*target, ExecutorKind::nccl), other = one;
        transfer(from, one);
        transfer(moved_from, other);
        carried = carried || values_of(one) != values_of(other);
      }
    }
    EXPECT_TRUE(carried) << spec.id << " changes no prediction";
  }
}

// A campaign of direct observations and curves, halved one at a time.
SampleSet campaign(const ParameterValues& truth) {
  SampleSet set;
  for (const char* id :
       {"cuda.launch", "cuda.handoff.ll", "cuda.handoff.ll128", "cuda.handoff.simple"}) {
    observe_directly(set, box_name, cuda, id, truth.at(id));
  }
  for (const std::int32_t ctas : {1, 2, 132}) {
    for (const std::string variant : {"copy", "reduce_2"}) {
      for (const std::int64_t bytes : {1LL << 20, 1LL << 24, 1LL << 25, 1LL << 26, 1LL << 29}) {
        Conditions c;
        c.executor = cuda;
        c.machine = box_name;
        c.suite = "reduce_copy";
        c.algorithm = variant;
        c.protocol = "none";
        c.channels = ctas;
        c.bytes = bytes;
        const auto index = static_cast<std::int32_t>(set.conditions.size());
        set.conditions.push_back(c);
        for (int i = 0; i < 3; ++i)
          set.samples.push_back({index, i, micro_time_us(truth, c), false});
      }
    }
  }
  return set;
}

void halve(const std::string& id, double factor, double tolerance) {
  const auto box = load_machine(box_name);
  const auto prior = prior_profile(*box, cuda);
  const auto before_truth = values_of(prior);
  auto after_truth = before_truth;
  after_truth.at(id) *= factor;
  const auto before = values_of(calibrate(*box, prior, campaign(before_truth)));
  const auto after = values_of(calibrate(*box, prior, campaign(after_truth)));
  int moved = 0, unmoved = 0;
  for (const PointSpec& point : rows()) {
    const auto ln = [&](const ParameterValues& values) {
      return std::log(to_us(predict_time(*box, values, point)));
    };
    const double expected = ln(after_truth) - ln(before_truth);
    EXPECT_NEAR(ln(after) - ln(before), expected, tolerance)
        << id << " " << point.algorithm << " " << point.bytes << " " << point.channels;
    unmoved += std::abs(expected) < 0.02 ? 1 : 0;
    moved += std::abs(expected) > 0.1 ? 1 : 0;
  }
  EXPECT_GT(moved, 0) << id;
  EXPECT_GT(unmoved, 0) << id;
}

TEST(DeviceParameters, HalvedLaunchMovesShortRows) { halve("cuda.launch", 0.5, 0.01); }
TEST(DeviceParameters, HalvedHandOffMovesShortRows) { halve("cuda.handoff.simple", 0.5, 0.01); }
TEST(DeviceParameters, HalvedCopyRateMovesLongRows) { halve("cuda.cta_copy_bw", 0.5, 0.02); }
TEST(DeviceParameters, HalvedMemoryRateMovesWhatFillsIt) { halve("cuda.hbm_bw", 0.25, 0.03); }

TEST(DeviceParameters, AHandOffThatTheInterpreterDoesNotUseMovesNoneOfItsRows) {
  const auto box = load_machine(box_name);
  const auto prior = prior_profile(*box, cuda);
  const auto truth = values_of(prior);
  auto other = truth;
  other.at("cuda.handoff.ll128") *= 0.5;
  const auto before = values_of(calibrate(*box, prior, campaign(truth)));
  const auto after = values_of(calibrate(*box, prior, campaign(other)));
  for (const PointSpec& point : rows()) {
    EXPECT_EQ(predict_time(*box, before, point), predict_time(*box, after, point));
  }
  // NCCL's row under LL128 moves, by the rule, in its direction; other protocols' do not.
  const auto nccl_of = [&](const ParameterValues& values) {
    auto to = prior_profile(*box, ExecutorKind::nccl);
    transfer(calibrate(*box, prior, campaign(values)), to);
    return values_of(to);
  };
  const auto nccl_before = nccl_of(truth), nccl_after = nccl_of(other);
  for (const Protocol protocol : {Protocol::ll, Protocol::ll128, Protocol::simple}) {
    const auto point =
        point_of(ExecutorKind::nccl, Collective::all_reduce, "ring", protocol, 1 << 10);
    const auto one = predict_time(*box, nccl_before, point);
    const auto two = predict_time(*box, nccl_after, point);
    if (protocol == Protocol::ll128) {
      EXPECT_LT(two, one);
    } else {
      EXPECT_EQ(two, one);
    }
  }
}

TEST(DeviceParameters, CollectivesThatArePredictedAreComparedAndNeverFitted) {
  const auto box = load_machine(box_name);
  const auto prior = prior_profile(*box, cuda);
  auto truth = values_of(prior);
  truth.at("cuda.cta_copy_bw") *= 1.7;
  truth.at("cuda.handoff.simple") *= 0.6;
  std::vector<SampledSweep> sweeps;
  for (const std::string algorithm : {"ring", "tree", "halving_doubling"}) {
    sweeps.push_back({Collective::all_reduce,
                      algorithm,
                      {Protocol::simple},
                      sizes_between(1 << 10, 1 << 28, 8)});
  }
  const SampleSet collectives = draw(*box, cuda, truth, sweeps, 0.01, 1);
  CalibrateOptions options;
  options.against = &collectives;
  const auto profile = calibrate(*box, prior, campaign(truth), options);
  EXPECT_EQ(profile.holdout.size(), collectives.conditions.size());
  for (const HoldoutPoint& point : profile.holdout) {
    EXPECT_NEAR(point.predicted_us / point.measured_us, 1, 0.05) << point.point.algorithm;
  }
  EXPECT_TRUE(profile.evidence.empty()) << "no collective was fitted";
  const auto alone = calibrate(*box, prior, campaign(truth));
  EXPECT_EQ(values_of(profile), values_of(alone));
  EXPECT_EQ(alone.discrepancy_ln, prior.discrepancy_ln) << "nothing tells the model's own error";
  SampleSet foreign = collectives;
  for (auto& c : foreign.conditions) c.machine = "elsewhere";
  options.against = &foreign;
  EXPECT_THROW(calibrate(*box, prior, campaign(truth), options), UsageError);
}

TEST(MicroModel, ElasticitiesOfTimesAndRatesSumToOneAndTheLimitIsTheAggregate) {
  auto values = values_of(prior_profile(*load_machine(box_name), cuda));
  Conditions c;
  c.executor = cuda;
  c.suite = "reduce_copy";
  c.algorithm = "copy";
  c.bytes = 1 << 30;
  for (const std::int32_t ctas : {1, 1000}) {
    c.channels = ctas;
    double sum = 0;
    bool aggregate = false;
    for (const MicroElasticity& e : micro_elasticities(values, c)) {
      if (form_of(e.id) == ParameterForm::time || form_of(e.id) == ParameterForm::rate) {
        sum += std::abs(e.value);
      }
      aggregate = aggregate || e.id == "cuda.hbm_bw";
    }
    EXPECT_NEAR(sum, 1, 1e-3);
    EXPECT_EQ(aggregate, ctas == 1000);
  }
  c.algorithm = "reduce_3";
  EXPECT_FALSE(is_modeled_micro(c));
}

}  // namespace
}  // namespace fabricast
