// Are 90 % intervals right about nine times in ten? Truths are drawn from the prior, so a correct
// posterior covers each parameter with exactly its nominal probability.
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
  // Parameters are taken as independent, so intervals of predictions err on the wide side.
  EXPECT_GE(predicted, 0.85 * repeats) << predicted;
}

}  // namespace
}  // namespace fabricast
