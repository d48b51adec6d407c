#include "emulator/report/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/report/compare_view.hpp"
#include "tests/unit/report/run_traces.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Comparison compare(const std::vector<TraceContent>& bases, const TraceContent& fresh,
                   const CompareOptions& options = {}) {
  return compare_traces(bases, fresh, options);
}

Column::Reals& reals(TraceContent& content, const std::string& path, const std::string& name) {
  for (Table& table : content.tables) {
    if (table.path != path) continue;
    for (Column& column : table.columns) {
      if (column.name == name) return std::get<Column::Reals>(column.values);
    }
  }
  throw std::runtime_error("no column " + path + "/" + name);
}

RunDraw quiet(std::uint64_t run) {
  RunDraw draw;
  draw.run = run;
  draw.noise_ln = 0.01;
  return draw;
}

TEST(Compare, EqualTracesAreTheSame) {
  const TraceContent trace = run_trace(quiet(1));
  const Comparison result = compare({trace}, trace);
  EXPECT_TRUE(result.ok) << result.verdict;
  EXPECT_EQ(result.count(Outcome::same), result.rows.size());
  EXPECT_EQ(result.rows.size(), 24u);
  EXPECT_TRUE(result.warnings.empty());
}

TEST(Compare, ASlowRowIsFoundNamedFirstAndTheOnlyOne) {
  RunDraw slow = quiet(2);
  slow.slow_rows = 1;
  slow.slow_factor = 1.25;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(slow));
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.count(Outcome::slower), 1u);
  EXPECT_EQ(result.rows[0].outcome, Outcome::slower);
  EXPECT_EQ(result.rows[0].key.bytes, 1024);
  EXPECT_NEAR(result.rows[0].change_ln, std::log(1.25), 0.02);
  EXPECT_LE(result.rows[0].p, 0.01);
  EXPECT_EQ(result.verdict, "regression: 1 of 24 rows slower by more than 5 %");
}

TEST(Compare, FasterIsNoRegression) {
  RunDraw fast = quiet(2);
  fast.slow_factor = 0.7;
  fast.slow_rows = 24;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(fast));
  EXPECT_TRUE(result.ok) << result.verdict;
  EXPECT_EQ(result.count(Outcome::faster), 24u);
}

TEST(Compare, AChangeBelowTheThresholdIsNone) {
  RunDraw slow = quiet(2);
  slow.noise_ln = 0.001;
  slow.slow_factor = 1.04;
  slow.slow_rows = 24;
  RunDraw base = slow;
  base.run = 1;
  base.slow_rows = 0;
  CompareOptions options;
  options.run_noise = 1e-4;
  EXPECT_TRUE(compare({run_trace(base)}, run_trace(slow), options).ok);
  options.threshold = 0.03;
  EXPECT_EQ(compare({run_trace(base)}, run_trace(slow), options).count(Outcome::slower), 24u);
}

TEST(Compare, ALargeChangeWithinTheNoiseIsNone) {
  RunDraw slow = quiet(2);
  slow.slow_factor = 1.15;
  slow.slow_rows = 24;
  CompareOptions options;
  options.run_noise = 0.06;
  EXPECT_TRUE(compare({run_trace(quiet(1))}, run_trace(slow), options).ok);
  EXPECT_FALSE(compare({run_trace(quiet(1))}, run_trace(slow)).ok);
}

TEST(Compare, AnotherReductionIsAnotherQuestion) {
  RunDraw max = quiet(2);
  max.redop = "max";
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(max));
  EXPECT_EQ(result.verdict,
            "not ok: nothing could be compared: the nearest rows differ in reduction (sum, max); "
            "24 rows of the base are missing");
  // Files that do not say are paired as they were.
  RunDraw silent = quiet(1);
  silent.redop = "";
  const Comparison before = compare({run_trace(silent)}, run_trace(max));
  EXPECT_TRUE(before.ok) << before.verdict;
  EXPECT_EQ(before.count(Outcome::same), 24u);
  ASSERT_EQ(before.warnings.size(), 1u);
  EXPECT_THAT(before.warnings[0], HasSubstr("do not say which reduction ran"));
}

TEST(Compare, RowsOfSingleLogsAreJudgedUnderAStatedNoise) {
  RunDraw base = quiet(1);
  base.samples = 1;
  base.imported = true;
  RunDraw slow = base;
  slow.run = 2;
  slow.slow_rows = 24;
  slow.slow_factor = 1.25;
  const Comparison unsaid = compare({run_trace(base)}, run_trace(slow));
  EXPECT_EQ(unsaid.count(Outcome::unjudged), 24u);
  EXPECT_THAT(unsaid.rows[0].reason, HasSubstr("or --run-noise"));
  CompareOptions said;
  said.run_noise = 0.02;
  EXPECT_EQ(compare({run_trace(base)}, run_trace(slow), said).count(Outcome::slower), 24u);
  slow.slow_factor = 1.01;
  EXPECT_TRUE(compare({run_trace(base)}, run_trace(slow), said).ok);
  // One timed iteration is no mean of a log.
  base.imported = false;
  EXPECT_EQ(compare({run_trace(base)}, run_trace(slow), said).count(Outcome::unjudged), 24u);
}

TEST(Compare, BasesThatDisagreeWidenTheNoise) {
  RunDraw slow = quiet(9);
  slow.slow_factor = 1.12;
  slow.slow_rows = 24;
  std::vector<TraceContent> calm, restless;
  for (std::uint64_t run = 1; run <= 5; ++run) {
    calm.push_back(run_trace(quiet(run)));
    RunDraw draw = quiet(run);
    draw.common_ln = 0.2;
    restless.push_back(run_trace(draw));
  }
  const Comparison sure = compare(calm, run_trace(slow));
  EXPECT_FALSE(sure.ok);
  const Comparison unsure = compare(restless, run_trace(slow));
  EXPECT_TRUE(unsure.ok) << unsure.verdict;
  EXPECT_GT(unsure.groups[0].noise_ln, 2 * sure.groups[0].noise_ln);
}

TEST(Compare, OneDisturbedBaseDoesNotMoveTheBase) {
  std::vector<TraceContent> bases;
  for (std::uint64_t run = 1; run <= 5; ++run) {
    RunDraw draw = quiet(run);
    if (run == 3) {
      draw.slow_rows = 24;
      draw.slow_factor = 100;
    }
    bases.push_back(run_trace(draw));
  }
  const Comparison result = compare(bases, run_trace(quiet(6)));
  for (const ComparedRow& row : result.rows) EXPECT_LT(std::abs(row.change_ln), 0.05);
}

TEST(Compare, MissingRowsFailUnlessAllowed) {
  RunDraw fewer = quiet(2);
  fewer.rows = 20;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(fewer));
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.count(Outcome::missing), 4u);
  EXPECT_THAT(result.verdict, HasSubstr("4 rows of the base are missing"));
  CompareOptions options;
  options.allow_missing = true;
  EXPECT_TRUE(compare({run_trace(quiet(1))}, run_trace(fewer), options).ok);
  const Comparison more = compare({run_trace(fewer)}, run_trace(quiet(1)));
  EXPECT_TRUE(more.ok);
  EXPECT_EQ(more.count(Outcome::added), 4u);
}

TEST(Compare, NothingComparableIsNotOk) {
  RunDraw other = quiet(2);
  other.machine = "elsewhere";
  CompareOptions options;
  options.allow_missing = true;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(other), options);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.verdict,
            "not ok: nothing could be compared: the nearest rows differ in machine (" +
                quiet(1).machine + ", elsewhere)");
  EXPECT_FALSE(compare({TraceContent{}}, TraceContent{}).ok);
}

TEST(Compare, WhatCannotBeJudgedIsNotOkAndSaysWhy) {
  const auto reason = [](const auto& damage) {
    TraceContent bad = run_trace(quiet(2));
    damage(bad);
    const Comparison result = compare({run_trace(quiet(1))}, bad);
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.count(Outcome::unjudged), 1u);
    EXPECT_THAT(result.verdict, HasSubstr("1 rows cannot be judged"));
    return result.rows[0].reason;
  };
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), 0.0, -1.0,
                             std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(reason([&](TraceContent& t) { reals(t, "/samples", "value")[3] = value; }),
              "a sample of the new trace is not a positive number");
  }
  const auto discard = [](std::size_t count) {
    return [count](TraceContent& t) {
      for (Column& column : t.tables[1].columns) {
        if (column.name != "discarded") continue;
        auto& codes = std::get<Column::Codes>(column.values);
        std::fill_n(codes.begin(), count, std::uint8_t{1});
      }
    };
  };
  EXPECT_EQ(reason(discard(20)), "no kept sample in the new trace");
  EXPECT_EQ(reason(discard(17)), "3 kept samples in the new trace, at least 5 are needed");

  // What is in both is no near miss.
  TraceContent empty = run_trace(quiet(2));
  discard(empty.tables[1].rows())(empty);
  const Comparison nothing = compare({run_trace(quiet(1))}, empty);
  EXPECT_THAT(nothing.verdict, StartsWith("not ok: nothing could be compared; "));
}

TEST(Compare, NoiseThatHidesADoublingIsNotOk) {
  CompareOptions options;
  options.run_noise = 1;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(quiet(2)), options);
  EXPECT_FALSE(result.ok);
  EXPECT_THAT(result.verdict, HasSubstr("the noise hides even a doubling"));
}

TEST(Compare, PredictionsMoveWithTheirParametersAndSayWhich) {
  TraceContent slow = example_trace();
  for (const char* column : {"time_us", "low_us", "high_us"}) {
    for (double& value : reals(slow, "/results", column)) value *= 1.2;
  }
  reals(slow, "/profile", "value")[0] = 900 / 1.2;
  CompareOptions options;
  options.allow_missing = true;
  const Comparison result = compare({example_trace()}, slow, options);
  EXPECT_EQ(result.count(Outcome::slower), 25u);
  ASSERT_EQ(result.parameters.size(), 1u);
  EXPECT_EQ(result.parameters[0].id, "nvlink.bandwidth");
  const ComparedRow& row = result.rows[result.count(Outcome::slower) - 1];
  EXPECT_FALSE(row.key.measured);
  const std::string text = render_comparison(result, false);
  EXPECT_THAT(text, HasSubstr("nvlink.bandwidth 900 -> 750 GB/s: about"));
  // Measured rows of that trace have no samples under /samples: never silently fine.
  EXPECT_EQ(result.count(Outcome::unjudged), 5u);
  EXPECT_FALSE(result.ok);
}

TEST(Compare, APredictionMayMoveAsFarAsItsSamplesLeaveOpen) {
  TraceContent base = example_trace(), fresh = example_trace();
  for (TraceContent* trace : {&base, &fresh}) {
    for (Table& table : trace->tables) {
      if (table.path != "/profile") continue;
      for (Column& column : table.columns) {
        if (column.name == "samples") std::get<Column::Integers>(column.values)[0] = 9;
      }
    }
  }
  for (double& value : reals(fresh, "/results", "time_us")) value *= 1.2;
  reals(fresh, "/profile", "value")[0] = 900 / 1.2;  // sigma_ln is 0.2: 1.2 is well within
  const Comparison result = compare({base}, fresh);
  for (const ComparedRow& row : result.rows) {
    if (row.outcome != Outcome::slower) continue;
    EXPECT_GT(row.change_ln, 3 * row.noise_ln);
  }
  EXPECT_LT(result.count(Outcome::slower), 25u);
  EXPECT_GT(result.count(Outcome::same), 0u);
}

TEST(Compare, WarnsOfAnotherEnvironment) {
  RunDraw elsewhere = quiet(2);
  elsewhere.environment = {{"hostname", "b"}, {"load_1min_before", "7.00"}};
  RunDraw here = quiet(1);
  here.environment = {{"hostname", "a"}, {"load_1min_before", "0.10"}};
  const Comparison result = compare({run_trace(here), run_trace(here)}, run_trace(elsewhere));
  EXPECT_THAT(
      result.warnings,
      testing::ElementsAre("base 1, 2: hostname differs: a -> b",
                           "base 1, 2: the load when measuring began differs: 0.10 -> 7.00"));
}

TEST(Compare, RefusesOptionsOutOfRange) {
  const TraceContent trace = run_trace(quiet(1));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {nan, 0.0, -1.0, 1e308}) {
    CompareOptions options;
    options.threshold = bad;
    EXPECT_THROW(compare({trace}, trace, options), UsageError);
    options = {};
    options.alpha = bad;
    EXPECT_THROW(compare({trace}, trace, options), UsageError);
    options = {};
    options.run_noise = bad;
    EXPECT_THROW(compare({trace}, trace, options), UsageError);
  }
}

TEST(Compare, JsonAndCsvHoldEveryRow) {
  RunDraw slow = quiet(2);
  slow.slow_rows = 1;
  slow.slow_factor = 1.25;
  const Comparison result = compare({run_trace(quiet(1))}, run_trace(slow));
  const auto document = nlohmann::json::parse(render_comparison_json(result));
  EXPECT_FALSE(document["ok"].get<bool>());
  EXPECT_EQ(document["rows"].size(), 24u);
  EXPECT_EQ(document["rows"][0]["outcome"], "slower");
  EXPECT_EQ(document["counts"]["same"], 23);
  const std::string csv = render_comparison_csv(result);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 25);
  const std::string brief = render_comparison(result, false);
  const std::string full = render_comparison(result, true);
  EXPECT_EQ(
      std::count(full.begin(), full.end(), '\n') - std::count(brief.begin(), brief.end(), '\n'),
      23);
  EXPECT_TRUE(brief.ends_with(result.verdict + "\n"));
}

}  // namespace
}  // namespace fabricast
