#include "emulator/calibrate/predictor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

const std::vector<SampledSweep>& sweeps() {
  static const std::vector<SampledSweep> all{{Collective::all_reduce,
                                              "ring",
                                              {Protocol::ll, Protocol::simple},
                                              sizes_between(64, 1 << 30, 16)}};
  return all;
}

CalibrationProfile calibrated(const Topology& topology) {
  const auto prior = prior_profile(topology, ExecutorKind::nccl);
  return calibrate(topology, prior,
                   draw(topology, ExecutorKind::nccl, values_of(prior), sweeps(), 0.02, 1));
}

PointSpec ring(Protocol protocol, std::int64_t bytes) {
  return point_of(ExecutorKind::nccl, Collective::all_reduce, "ring", protocol, bytes);
}

TEST(Predictor, WithoutAMeasurementNothingIsMeasured) {
  const auto rack = load_machine("gb300-nvl72");
  Predictor predictor(*rack, prior_profile(*rack, ExecutorKind::nccl));
  for (const std::int64_t bytes : {8LL, 1LL << 20, 1LL << 30}) {
    const auto row = predictor.predict(ring(Protocol::ll128, bytes));
    EXPECT_EQ(row.measured_share, 0.0);
    EXPECT_EQ(row.label, PredictionLabel::extrapolated);
    EXPECT_EQ(row.evidence_ranks_ratio, 0);
    EXPECT_EQ(row.evidence_bytes_ratio, 0);
    for (const auto& share : row.shares) EXPECT_NE(share.origin, ParameterOrigin::measured);
  }
}

TEST(Predictor, SharesAreFractionsOfTheCriticalPath) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, prior_profile(*box, ExecutorKind::nccl));
  for (const std::int64_t bytes : {8LL, 1LL << 15, 1LL << 21, 1LL << 33}) {
    for (const Protocol protocol : {Protocol::ll, Protocol::simple}) {
      const auto row = predictor.predict(ring(protocol, bytes));
      double sum = 0;
      double last = 1;
      for (const auto& share : row.shares) {
        EXPECT_GT(share.share, 0);
        EXPECT_LE(share.share, last);
        last = share.share;
        sum += share.share;
      }
      EXPECT_NEAR(sum, 1, 1e-9);
      EXPECT_TRUE(row.limiting_term.starts_with(row.shares.front().id));
      EXPECT_GT(to_us(row.time), row.low_us);
      EXPECT_LT(to_us(row.time), row.high_us);
      EXPECT_GE(row.time, row.bound);
    }
  }
  // Known bandwidth times fitted efficiency: the efficiency is what the time rests on.
  EXPECT_EQ(predictor.predict(ring(Protocol::simple, 1LL << 33)).shares.front().id,
            "nvlink.efficiency");
}

// Halve a parameter of sensitivity e and the time changes by about 2^e; shares do not say that.
TEST(Predictor, NoIntervalReachesBelowAStatedBound) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, prior_profile(*box, ExecutorKind::nccl));
  for (const std::int64_t bytes : {8LL, 1LL << 15, 1LL << 21, 1LL << 33}) {
    const auto row = predictor.predict(ring(Protocol::simple, bytes));
    EXPECT_GE(row.low_us, to_us(row.bound)) << bytes;
  }
  Prediction row = predictor.predict(ring(Protocol::simple, 1LL << 33));
  set_interval(row, 2);
  EXPECT_EQ(row.low_us, to_us(row.bound));
  EXPECT_EQ(row.high_us, 2 * to_us(row.time));
  row.point.executor = ExecutorKind::host;  // whose bound is of a fitted rate
  set_interval(row, 2);
  EXPECT_EQ(row.low_us, to_us(row.time) / 2);
}

// What is known less well of small sizes stays so until NCCL itself was measured at such a size.
TEST(Predictor, SmallSizesAreUncertainUntilOneWasMeasured) {
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const auto reach = [&](ExecutorKind executor, std::int64_t measured, std::int64_t asked) {
    auto profile = prior;
    profile.evidence.push_back(
        {executor, box->name(), Collective::all_reduce, "ring", "simple", 8, measured, 0});
    const auto row = Predictor(*box, profile).predict(ring(Protocol::simple, asked));
    return row.high_us / to_us(row.time);
  };
  Predictor unmeasured(*box, prior);
  const auto row = unmeasured.predict(ring(Protocol::simple, 1024));
  const double at_priors = row.high_us / to_us(row.time);
  EXPECT_GE(reach(ExecutorKind::cuda, 1024, 1024), at_priors) << "another program";
  EXPECT_GT(reach(ExecutorKind::nccl, 1LL << 29, 1024), 0.95 * at_priors) << "large sizes only";
  EXPECT_LT(reach(ExecutorKind::nccl, 1024, 1024), 0.7 * at_priors);
}

TEST(Predictor, SensitivitiesAreWhatHalvingAParameterDoes) {
  const auto box = load_machine("hgx-h100");
  const auto profile = prior_profile(*box, ExecutorKind::nccl);
  Predictor predictor(*box, profile);
  const auto row = predictor.predict(ring(Protocol::simple, 1LL << 33));
  ASSERT_EQ(row.sensitivities.size(), 3u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& [id, value] = row.sensitivities[i];
    EXPECT_TRUE(id == "nvlink.bandwidth" || id == "nvlink.efficiency") << id;
    auto halved = values_of(profile);
    halved.at(id) /= 2;
    const double doublings =
        std::log2(to_us(predict_time(*box, halved, row.point)) / to_us(row.time));
    EXPECT_NEAR(doublings, -value, 0.03) << id;
    EXPECT_GT(std::abs(value), 0.9) << id;
  }
  EXPECT_LE(std::abs(row.sensitivities[2].value), std::abs(row.sensitivities[1].value));
}

TEST(Predictor, LabelsFollowTheEvidence) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, calibrated(*box));
  // Computed rows are never "measured", be there a sample of the very point.
  EXPECT_EQ(predictor.predict(ring(Protocol::ll, 64)).label, PredictionLabel::calibrated);
  EXPECT_EQ(predictor.predict(ring(Protocol::ll, 100)).label, PredictionLabel::calibrated);
  const auto far = predictor.predict(ring(Protocol::simple, 1LL << 34));
  EXPECT_EQ(far.label, PredictionLabel::extrapolated);
  EXPECT_DOUBLE_EQ(far.evidence_ranks_ratio, 1);
  EXPECT_DOUBLE_EQ(far.evidence_bytes_ratio, 16.0);
}

// A profile of all_reduce by ring says how well the model does there, and nowhere else.
TEST(Predictor, ARegimeWithoutSamplesIsExtrapolated) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, calibrated(*box));
  const auto at = [](Collective collective, const char* algorithm, Protocol protocol) {
    return point_of(ExecutorKind::nccl, collective, algorithm, protocol, 1 << 14);
  };
  for (const PointSpec& point : {at(Collective::all_reduce, "ring", Protocol::ll128),
                                 at(Collective::all_reduce, "tree", Protocol::ll),
                                 at(Collective::broadcast, "ring", Protocol::ll),
                                 at(Collective::all_to_all, "pairwise", Protocol::ll)}) {
    const auto row = predictor.predict(point);
    EXPECT_EQ(row.label, PredictionLabel::extrapolated) << point.algorithm;
    EXPECT_EQ(row.evidence_ranks_ratio, 0) << point.algorithm;
    EXPECT_EQ(row.evidence_bytes_ratio, 0) << point.algorithm;
  }
}

TEST(Predictor, OtherChannelsAreAnotherRegime) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, calibrated(*box));
  const auto with = [](std::int32_t channels, std::int32_t max_slices = 0) {
    auto point = ring(Protocol::simple, 1 << 28);
    point.channels = channels;
    point.max_slices = max_slices;
    return point;
  };
  const auto own_rule = predictor.predict(with(0));
  EXPECT_EQ(own_rule.label, PredictionLabel::calibrated);
  EXPECT_GT(own_rule.channels, 1);
  EXPECT_EQ(predictor.predict(with(own_rule.channels)).label, PredictionLabel::calibrated);
  const auto one = predictor.predict(with(1));
  EXPECT_EQ(one.label, PredictionLabel::extrapolated);
  EXPECT_EQ(one.evidence_bytes_ratio, 0);
  EXPECT_GT(one.high_us / one.low_us, own_rule.high_us / own_rule.low_us);
  EXPECT_EQ(predictor.predict(with(0, 1)).label, PredictionLabel::extrapolated);
}

TEST(Predictor, MeasuredShareFollowsWhatSamplesIdentify) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, calibrated(*box));
  const auto small = predictor.predict(ring(Protocol::ll, 64));
  EXPECT_GT(small.measured_share, 0.5);
  EXPECT_LE(small.measured_share, 1.0);
  Predictor before(*box, prior_profile(*box, ExecutorKind::nccl));
  const auto prior = before.predict(ring(Protocol::ll, 64));
  EXPECT_LT(small.high_us / small.low_us, prior.high_us / prior.low_us);
}

TEST(Predictor, FastestTakesTheLeastTime) {
  const auto box = load_machine("hgx-h100");
  Predictor predictor(*box, prior_profile(*box, ExecutorKind::nccl));
  const auto protocols = protocols_of(ExecutorKind::nccl);
  for (const std::int64_t bytes : {8LL, 1LL << 22, 1LL << 33}) {
    const auto best = predictor.fastest(ring(Protocol::none, bytes), protocols);
    for (const Protocol protocol : protocols) {
      EXPECT_LE(predictor.time(best), predictor.time(ring(protocol, bytes)));
    }
  }
  EXPECT_EQ(predictor.fastest(ring(Protocol::none, 8), protocols).protocol, Protocol::ll);
  EXPECT_EQ(predictor.fastest(ring(Protocol::none, 1LL << 33), protocols).protocol,
            Protocol::simple);
}

TEST(Predictor, IsTheFreeFunction) {
  const auto box = load_machine("hgx-h100");
  const auto profile = prior_profile(*box, ExecutorKind::nccl);
  const auto point = ring(Protocol::simple, 1 << 24);
  Predictor predictor(*box, profile);
  predictor.predict(ring(Protocol::simple, 1 << 20));  // the cache holds another size
  const auto cached = predictor.predict(point);
  const auto fresh = predict(*box, profile, point);
  EXPECT_EQ(cached.time, fresh.time);
  EXPECT_EQ(cached.limiting_term, fresh.limiting_term);
}

}  // namespace
}  // namespace fabricast
