// Are 90 % intervals right about nine times in ten? Truths are drawn from the prior, so a correct
// posterior covers each parameter with exactly its nominal probability; and, because no machine is
// the model, truths that no parameter values can reproduce.
#include <gtest/gtest.h>

#include <cmath>

#include "emulator/base/counter_rng.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "tests/unit/calibrate/synthetic_samples.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

TEST(Coverage, NinetyPercentIntervalsOfParametersAndPredictions) {
  constexpr int repeats = 40;
  constexpr double quantile_90 = 1.645;
  const auto box = load_machine("hgx-h100");
  const auto prior = prior_profile(*box, ExecutorKind::nccl);
  const std::vector<SampledSweep> sweeps{{Collective::all_reduce,
                                          "ring",
                                          {Protocol::ll, Protocol::simple},
                                          sizes_between(8, 1LL << 31, 64)}};
  const auto unseen =
      point_of(ExecutorKind::nccl, Collective::all_gather, "ring", Protocol::simple, 3 << 22);
  CalibrateOptions options;
  options.holdout_fraction = 0;
  int covered = 0, total = 0, predicted = 0;
  for (std::uint64_t repeat = 0; repeat < repeats; ++repeat) {
    ParameterValues truth;
    for (std::size_t j = 0; j < prior.parameters.size(); ++j) {
      const ParameterValue& p = prior.parameters[j];
      double value = p.prior.value * std::exp(p.prior.sigma_ln * random_normal(100 + repeat, j, 0));
      // Efficiencies above one are cut by the model, so they could not be told apart.
      if (p.spec.id == "nvlink.efficiency") value = std::min(value, 0.98);
      truth[p.spec.id] = value;
    }
    const auto samples = draw(*box, ExecutorKind::nccl, truth, sweeps, 0.03, repeat);
    const auto profile = calibrate(*box, prior, samples, options);
    for (const ParameterValue& p : profile.parameters) {
      if (p.identified == Identified::prior) continue;
      ++total;
      covered += std::abs(std::log(p.value / truth.at(p.spec.id))) <= quantile_90 * p.sigma_ln;
    }
    Predictor predictor(*box, profile);
    const auto prediction = predictor.predict(unseen);
    const double actual = to_us(predict_time(*box, truth, unseen));
    predicted += prediction.low_us <= actual && actual <= prediction.high_us;
  }
  const double share = static_cast<double>(covered) / total;
  EXPECT_GE(share, 0.80) << covered << " of " << total;
  EXPECT_LE(share, 0.97) << covered << " of " << total;
  EXPECT_GE(predicted, 0.85 * repeats) << predicted;
}

// ln of what the truth of a repeat takes over what the model can say: waves over the sizes, more of
// them where bandwidth counts, and a step somewhere (a regime change the model does not know).
double misfit(std::uint64_t repeat, Collective collective, std::int64_t bytes) {
  const auto entity = static_cast<std::uint64_t>(collective);
  const auto draw = [&](std::uint64_t index) { return random_uniform(repeat, entity, index); };
  const double octaves = std::log2(static_cast<double>(bytes));
  const double wave = (0.02 + 0.01 * octaves * draw(0)) *
                      std::sin(octaves * (0.3 + 0.9 * draw(1)) + 6.28 * draw(2));
  return wave + (octaves > 14 + 10 * draw(3) ? 0.3 * (draw(4) - 0.5) : 0.0);
}

struct Count {
  int inside = 0, total = 0;
  void add(bool covered) {
    inside += covered;
    ++total;
  }
  double share() const { return static_cast<double>(inside) / total; }
};

// A host, because its launch and its step act nearly alike: the fit knows their sum, not each.
TEST(Coverage, OfATruthThatTheModelCannotReproduce) {
  const auto host = parse_machine(eight_lane_host, "test");
  const auto prior = prior_profile(*host, ExecutorKind::host);
  const auto truth = values_of(prior);
  const std::vector<Collective> collectives{Collective::all_reduce, Collective::all_gather};
  std::vector<SampledSweep> sweeps;
  for (const Collective collective : collectives) {
    sweeps.push_back({collective, "ring", {Protocol::none}, sizes_between(64, 1 << 26, 2)});
  }
  Count all, held, small, large;
  double width = 0;
  for (std::uint64_t repeat = 1; repeat <= 30; ++repeat) {
    auto samples = draw(*host, ExecutorKind::host, truth, sweeps, 0.02, repeat);
    for (Sample& sample : samples.samples) {
      const Conditions& c = samples.conditions[static_cast<std::size_t>(sample.condition)];
      sample.value *= std::exp(misfit(repeat, c.collective, c.bytes));
    }
    const auto profile = calibrate(*host, prior, samples);
    for (const HoldoutPoint& point : profile.holdout) held.add(point.inside_interval);
    Predictor predictor(*host, profile);
    for (const Collective collective : collectives) {
      for (const std::int64_t bytes : sizes_between(96, 1 << 26, 4)) {
        const auto point = point_of(ExecutorKind::host, collective, "ring", Protocol::none, bytes);
        const auto row = predictor.predict(point);
        const double actual =
            to_us(predict_time(*host, truth, point)) * std::exp(misfit(repeat, collective, bytes));
        const bool covered = row.low_us <= actual && actual <= row.high_us;
        all.add(covered);
        if (bytes <= 16 << 10) small.add(covered);
        if (bytes >= 2 << 20) large.add(covered);
        width += std::log(row.high_us / row.low_us) / 2;
      }
    }
  }
  EXPECT_GE(all.share(), 0.80) << all.inside << " of " << all.total;
  EXPECT_LE(all.share(), 0.99) << all.inside << " of " << all.total;
  // Where parameters explain the errors twice over, and where they explain none.
  EXPECT_LE(small.share(), 0.99) << small.inside << " of " << small.total;
  EXPECT_GE(large.share(), 0.80) << large.inside << " of " << large.total;
  EXPECT_GE(held.share(), 0.80) << held.inside << " of " << held.total;
  EXPECT_LE(held.share(), 0.99) << held.inside << " of " << held.total;
  // Not by being too wide to be wrong: the misfit's own scale is about 0.1.
  EXPECT_LT(width / all.total, 0.30);
}

}  // namespace
}  // namespace fabricast
