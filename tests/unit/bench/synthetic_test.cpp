#include "bench/harness/synthetic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "emulator/base/error.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

class Synthetic : public testing::Test {
 protected:
  std::shared_ptr<const Topology> topology = load_machine("hgx-h100");
  ParameterValues truth = values_of(prior_profile(*topology, ExecutorKind::nccl));

  static SyntheticOptions options() {
    SyntheticOptions options;
    options.collectives = {Collective::all_reduce};
    options.algorithms = {"ring"};
    options.protocols = {Protocol::simple};
    options.sizes = {1 << 20};
    return options;
  }
  double modeled_us(std::int64_t bytes) const {
    return to_us(predict_time(
        *topology, truth,
        {ExecutorKind::nccl, Collective::all_reduce, "ring", Protocol::simple, bytes, 4, 0, 0}));
  }
};

TEST_F(Synthetic, WithoutNoiseItIsTheForwardModel) {
  auto exact = options();
  exact.noise_ln = 0;
  exact.outlier_rate = 0;
  const auto set = draw_samples(*topology, truth, exact);
  ASSERT_EQ(set.samples.size(), 20u);
  for (const auto& sample : set.samples) EXPECT_DOUBLE_EQ(sample.value, modeled_us(1 << 20));
}

TEST_F(Synthetic, NoiseAndOutliersAreAsStated) {
  auto noisy = options();
  noisy.iterations = 4000;
  noisy.noise_ln = 0.05;
  noisy.outlier_rate = 0.02;
  const auto set = draw_samples(*topology, truth, noisy);
  const double time = modeled_us(1 << 20);
  double sum = 0, squares = 0;
  int kept = 0, flagged = 0;
  for (const auto& sample : set.samples) {
    if (sample.discarded) {
      ++flagged;
      continue;
    }
    const double deviation = std::log(sample.value / time);
    sum += deviation;
    squares += deviation * deviation;
    ++kept;
  }
  const double mean = sum / kept;
  // Standard errors: 0.05/sqrt(4000) = 0.0008 of the mean, 0.05/sqrt(8000) of the deviation, and
  // sqrt(4000*0.02*0.98) = 9 outliers. Five of them each.
  EXPECT_NEAR(mean, 0, 0.004);
  EXPECT_NEAR(std::sqrt(squares / kept - mean * mean), 0.05, 0.003);
  EXPECT_NEAR(flagged, 80, 45);
  EXPECT_NEAR(set.summarize(0).median / time, 1, 0.005);
}

TEST_F(Synthetic, EqualInputsGiveEqualSamples) {
  const auto one = draw_samples(*topology, truth, options());
  const auto two = draw_samples(*topology, truth, options());
  ASSERT_EQ(one.samples.size(), two.samples.size());
  for (std::size_t i = 0; i < one.samples.size(); ++i) {
    EXPECT_EQ(one.samples[i].value, two.samples[i].value);
  }
  auto other = options();
  other.seed = 2;
  EXPECT_NE(draw_samples(*topology, truth, other).samples[0].value, one.samples[0].value);
}

TEST_F(Synthetic, AnotherSizeDoesNotChangeTheSamplesOfThisOne) {
  const auto alone = draw_samples(*topology, truth, options());
  auto more = options();
  more.sizes = {1 << 10, 1 << 20};
  const auto both = draw_samples(*topology, truth, more);
  ASSERT_EQ(both.conditions[1].bytes, 1 << 20);
  for (const auto& sample : both.samples) {
    if (sample.condition != 1) continue;
    EXPECT_EQ(sample.value, alone.samples[static_cast<std::size_t>(sample.iteration)].value);
  }
}

TEST_F(Synthetic, ItsSamplesCanNotPassForMeasurements) {
  const auto set = draw_samples(*topology, truth, options());
  ASSERT_EQ(set.environment.count(synthetic_key), 1u);
  EXPECT_THAT(set.environment.at(synthetic_key), HasSubstr("not measured"));
  EXPECT_THAT(set.environment.at(synthetic_key), HasSubstr("seed 1"));
  EXPECT_FALSE(set.environment.at("synthetic_parameters").empty());
}

TEST_F(Synthetic, SizesAreRoundedAsInARealSweep) {
  auto gather = options();
  gather.collectives = {Collective::all_gather};
  gather.sizes = {8, 200, 250};
  const auto set = draw_samples(*topology, truth, gather);
  ASSERT_EQ(set.conditions.size(), 1u) << "8 ranks x 16 B = 128 B";
  EXPECT_EQ(set.conditions[0].bytes, 128);
}

TEST_F(Synthetic, ASettingScalesOrReplacesOneParameter) {
  const auto& [id, before] = *truth.begin();
  auto changed = truth;
  apply_setting(id + "=x0.5", changed);
  EXPECT_DOUBLE_EQ(changed.at(id), before * 0.5);
  apply_setting(id + "=7.25", changed);
  EXPECT_DOUBLE_EQ(changed.at(id), 7.25);
  changed[id] = before;
  EXPECT_EQ(changed, truth) << "no other parameter moved";
}

TEST_F(Synthetic, BadSettingsAreUsageErrors) {
  const std::string id = truth.begin()->first;
  const std::vector<std::string> settings{
      id, "=2", id + "=", id + "=x", id + "=0", id + "=-1", id + "=nan", id + "=x-2", id + "=2 us"};
  for (const std::string& bad : settings) {
    EXPECT_THROW(apply_setting(bad, truth), UsageError) << bad;
  }
  try {
    apply_setting(id + "s=x0.5", truth);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr(id)) << "did you mean";
  }
}

TEST_F(Synthetic, BadOptionsAreUsageErrors) {
  auto bad = options();
  bad.noise_ln = -1;
  EXPECT_THROW(draw_samples(*topology, truth, bad), UsageError);
  bad = options();
  bad.outlier_rate = 0.9;
  EXPECT_THROW(draw_samples(*topology, truth, bad), UsageError);
  bad = options();
  bad.iterations = 0;
  EXPECT_THROW(draw_samples(*topology, truth, bad), UsageError);
  bad = options();
  bad.algorithms = {"rign"};
  EXPECT_THROW(draw_samples(*topology, truth, bad), UsageError);
  bad = options();
  bad.sizes = {};
  EXPECT_THROW(draw_samples(*topology, truth, bad), UsageError);
}

}  // namespace
}  // namespace fabricast
