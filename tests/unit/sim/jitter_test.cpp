// Jitter against closed forms: single draws, maxima over ranks, sums over steps, and the engine
// where the makespan is exactly one of those.
#include "emulator/sim/jitter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/jitter_sweep.hpp"
#include "emulator/sim/order_statistics.hpp"
#include "tests/unit/sim/constant_costs.hpp"

namespace fabricast {
namespace {

double as_number(std::int64_t factor) {
  return static_cast<double>(factor) / double{FactorTable::one};
}

std::vector<double> draws(const FactorTable& table, int count) {
  std::vector<double> result;
  for (int i = 0; i < count; ++i) {
    const auto word = mix64(step_key(3, i) ^ member_key(11, 5, 0));
    result.push_back(as_number(table.factor(static_cast<std::uint32_t>(word >> 32))));
    result.push_back(as_number(table.factor(static_cast<std::uint32_t>(word))));
  }
  std::sort(result.begin(), result.end());
  return result;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double fraction_above(const std::vector<double>& ascending, double value) {
  const auto above = ascending.end() - std::upper_bound(ascending.begin(), ascending.end(), value);
  return static_cast<double>(above) / static_cast<double>(ascending.size());
}

TEST(Jitter, NamesAndNumbersAreChecked) {
  EXPECT_EQ(jitter_from("lognormal:0.1").text, "lognormal:0.1");
  for (const char* bad :
       {"", "lognormal", "lognormal:x", "lognormal:-1", "lognormal:0.1:2", "spike:0.1",
        "spike:0.6:2", "pareto:0.1:0.5", "normal:0.1", "exponential:inf", "spike:0:2"}) {
    EXPECT_THROW(jitter_from(bad), UsageError) << bad;
  }
}

TEST(Jitter, FactorsGrowWithTheirBits) {
  for (const char* text : {"lognormal:0.3", "exponential:1", "pareto:0.01:2"}) {
    const FactorTable table(jitter_from(text));
    std::int64_t last = 0;
    for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += 65521) {
      const std::int64_t factor = table.factor(static_cast<std::uint32_t>(bits));
      ASSERT_GE(factor, last) << text << " " << bits;
      last = factor;
    }
    EXPECT_GE(table.factor(0xffffffffu), last);
  }
}

TEST(Jitter, LognormalHasItsMomentsAndTails) {
  const auto values = draws(FactorTable(jitter_from("lognormal:0.25")), 500'000);
  EXPECT_NEAR(mean_of(values), std::exp(0.25 * 0.25 / 2), 1e-3);
  EXPECT_NEAR(values[values.size() / 2], 1, 1e-3);
  for (const double z : {1.0, 2.0, 3.0, 4.0}) {
    const double p = std::erfc(z / std::sqrt(2.0)) / 2;
    const double sigma = std::sqrt(p / static_cast<double>(values.size()));
    EXPECT_NEAR(fraction_above(values, std::exp(0.25 * z)), p, 4 * sigma) << z;
  }
}

TEST(Jitter, ParetoSpikeAndMeasured) {
  const auto pareto = draws(FactorTable(jitter_from("pareto:0.01:2")), 500'000);
  EXPECT_NEAR(fraction_above(pareto, 1), 0.01, 4e-4);
  EXPECT_NEAR(fraction_above(pareto, 10), 0.01 / 100, 4e-5);
  const auto spike = draws(FactorTable(jitter_from("spike:0.001:7.5")), 500'000);
  EXPECT_NEAR(fraction_above(spike, 7), 0.001, 1.3e-4);
  EXPECT_EQ(spike.back(), 7.5);
  EXPECT_EQ(spike.front(), 1);
  const auto measured = draws(FactorTable(measured_jitter({1.5, 0.5, 1, 1}, "here")), 500'000);
  EXPECT_NEAR(measured.front(), 0.5, 1e-3);
  EXPECT_NEAR(measured.back(), 1.5, 1e-3);
  EXPECT_NEAR(mean_of(measured), 1, 2e-3);
}

TEST(Jitter, OneMultiplicationScalesWordsAlike) {
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const std::uint64_t bits = random_bits(3, i, 0);
    const auto ps = static_cast<std::uint32_t>(bits >> (bits & 31)),
               factor = static_cast<std::uint32_t>(bits >> 32) >> 2;
    ASSERT_TRUE(is_word(ps));
    ASSERT_EQ(scaled_word(ps, factor), scaled(ps, factor)) << ps << " " << factor;
  }
  EXPECT_FALSE(is_word(-1));
  EXPECT_FALSE(is_word(std::int64_t{1} << 32));
}

// Every rank copies `steps` times, nobody waits for anybody: lanes are independent sums.
Schedule copies(std::int32_t ranks, std::int32_t steps) {
  Schedule schedule = ring_all_reduce({ranks});
  Phase copy;
  copy.action = action_copy;
  PhaseGroup group;
  group.phases = {copy};
  Stage stage;
  stage.name = "copy";
  stage.repeat = steps;
  stage.groups = {group};
  schedule.stages = {stage};
  schedule.roles = 1;
  return schedule;
}

std::vector<double> makespans(const Schedule& schedule, const char* jitter, std::int32_t members,
                              std::int64_t lane_ps) {
  const ConstantCosts costs(schedule, MessageCosts{lane_ps, 0, 0, 0});
  const FactorTable table(jitter_from(jitter));
  std::vector<std::uint64_t> keys;
  for (std::int32_t m = 0; m < members; ++m) keys.push_back(member_key(1, m, 0));
  const auto outcome =
      jitter_sweep(wire(schedule, costs), table, keys, 1, 1, choose_instruction_set(""));
  std::vector<double> result;
  for (const std::int64_t ps : outcome.makespan_ps) {
    result.push_back(static_cast<double>(ps) / static_cast<double>(lane_ps));
  }
  std::sort(result.begin(), result.end());
  return result;
}

// The largest of N exponentials has mean H_N and quantile -ln(1 - q^(1/N)).
TEST(Jitter, SlowestOfManyRanksIsTheMaximumOfTheirDraws) {
  for (const std::int32_t ranks : {72, 1024}) {
    const auto times = makespans(copies(ranks, 1), "exponential:1", 800, 1'000'000);
    double harmonic = 0;
    for (std::int32_t i = 1; i <= ranks; ++i) harmonic += 1.0 / i;
    // The maximum has standard deviation pi / sqrt(6) = 1.28 at any N.
    EXPECT_NEAR(mean_of(times), 1 + harmonic, 4 * 1.2826 / std::sqrt(800.0)) << ranks;
    const double median = 1 - std::log1p(-std::pow(0.5, 1.0 / ranks));
    EXPECT_NEAR(times[400], median, 0.2) << ranks;
    const double p95 = 1 - std::log1p(-std::pow(0.95, 1.0 / ranks));
    EXPECT_NEAR(times[760], p95, 0.7) << ranks;
  }
}

// k steps of one rank: mean and variance add, and the sum is nearly normal.
TEST(Jitter, StepsOfOneLaneAddUp) {
  const double sigma = 0.2;
  const double mean = std::exp(sigma * sigma / 2);
  const double variance = std::expm1(sigma * sigma) * std::exp(sigma * sigma);
  const std::int32_t steps = 400;
  const auto times = makespans(copies(2, steps), "lognormal:0.2", 1000, 1'000'000);
  // The slower of two ranks: mean + std / sqrt(pi).
  const double spread = std::sqrt(variance * steps);
  EXPECT_NEAR(mean_of(times), mean * steps + spread / std::sqrt(3.14159265358979),
              4 * spread / std::sqrt(1000.0));
}

TEST(Jitter, MembersDoNotDependOnTheirCompany) {
  const Schedule tree = tree_all_reduce({8, 2}, 16, false);
  const ConstantCosts costs(tree, MessageCosts{1000, 700, 300, 50});
  const WiredProgram program = wire(tree, costs);
  const FactorTable table(jitter_from("lognormal:0.2"));
  std::vector<std::uint64_t> keys;
  for (std::int32_t m = 0; m < 19; ++m) keys.push_back(member_key(42, m, 3));
  const auto all = jitter_sweep(program, table, keys, 2, 2, choose_instruction_set("")).makespan_ps;
  for (const InstructionSet set : available_instruction_sets()) {
    for (std::size_t m = 0; m < keys.size(); ++m) {
      EXPECT_EQ(jitter_sweep(program, table, {&keys[m], 1}, 2, 2, set).makespan_ps.front(), all[m]);
    }
  }
  EXPECT_NE(all.front(), all.back());
}

TEST(OrderStatistics, IntervalsCoverAsOftenAsTheySay) {
  int inside = 0;
  const int trials = 2000, count = 100;
  for (int t = 0; t < trials; ++t) {
    std::vector<std::int64_t> values;
    for (int i = 0; i < count; ++i) {
      values.push_back(random_int(9, static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(i),
                                  0, 1'000'000'000));
    }
    std::sort(values.begin(), values.end());
    const auto q = sample_quantile(values, 0.9);
    ASSERT_TRUE(q.low && q.high);
    inside += *q.low <= 900'000'000 && 900'000'000 <= *q.high;
  }
  const double covered = static_cast<double>(inside) / trials;
  EXPECT_GE(covered, 0.88);
  EXPECT_LE(covered, 0.97);  // discrete: a little wider than asked
}

TEST(OrderStatistics, FewValuesDoNotBoundATail) {
  std::vector<std::int64_t> values(64);
  std::iota(values.begin(), values.end(), 1);
  const auto p99 = sample_quantile(values, 0.99);
  EXPECT_EQ(p99.value, 64);
  EXPECT_TRUE(p99.low);
  EXPECT_FALSE(p99.high);  // 0.99^64 = 0.53: the largest of 64 is below p99 that often
  const auto p50 = sample_quantile(values, 0.5);
  EXPECT_EQ(p50.value, 32);
  ASSERT_TRUE(p50.low && p50.high);
  EXPECT_EQ(*p50.low + *p50.high, 65);  // symmetric
}

}  // namespace
}  // namespace fabricast
