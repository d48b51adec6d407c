// Engines against the specification on seeded random cases and on every algorithm: sweep == naive
// longest path, folded or not, with and without periodic jumps, on every instruction set; deadlocks
// are found by both. The same for the start, end and reason of every single step.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/schedule/fitting_space.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

std::optional<NaiveTimeline> reference(const RandomCase& c, const StepCosts& costs) {
  try {
    return naive_timeline(c.schedule, costs, c.loops, c.slices);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

void expect_equal(const SweepResult& result, const NaiveTimeline& naive) {
  ASSERT_EQ(result.makespan.value(), naive.makespan.value());
  ASSERT_EQ(result.messages, naive.messages);
  ASSERT_EQ(result.stages.size(), naive.stages.size());
  for (std::size_t s = 0; s < result.stages.size(); ++s) {
    ASSERT_EQ(result.stages[s].start_ps, naive.stages[s].start_ps) << "stage " << s;
    ASSERT_EQ(result.stages[s].end_ps, naive.stages[s].end_ps) << "stage " << s;
  }
}

// Every single step: of every position unfolded, of every class folded.
void expect_equal_steps(const RandomCase& c, const StepCosts& costs, const NaiveTimeline& naive,
                        bool fold) {
  std::vector<std::int32_t> columns(static_cast<std::size_t>(c.schedule.positions()));
  std::iota(columns.begin(), columns.end(), 0);
  SweepOptions options{c.loops, c.slices, fold, true, {}};
  StepLog log(columns, c.schedule.roles);
  options.log = &log;
  const SweepResult result = sweep(c.schedule, costs, options);
  ASSERT_NO_FATAL_FAILURE(expect_equal(result, naive));
  std::map<std::tuple<std::int32_t, std::int32_t, std::int64_t>, LoggedStep> logged;
  for (const LoggedStep& step : log.take()) logged[{step.column, step.role, step.step}] = step;
  for (LoggedStep step : naive.steps) {
    const std::int32_t position = step.column;
    if (!result.class_of.empty()) {
      step.column = result.class_of[static_cast<std::size_t>(position)];
    }
    const auto found = logged.find({step.column, step.role, step.step});
    ASSERT_NE(found, logged.end()) << "position " << position << " step " << step.step;
    ASSERT_EQ(found->second.start_ps, step.start_ps) << position << ": " << step.step;
    ASSERT_EQ(found->second.end_ps, step.end_ps) << position << ": " << step.step;
    ASSERT_EQ(found->second.ready_ps, step.ready_ps) << position << ": " << step.step;
    ASSERT_EQ(found->second.bound, step.bound) << position << ": " << step.step;
  }
  if (result.class_of.empty()) {
    ASSERT_EQ(logged.size(), naive.steps.size());
  }
}

void expect_all_engines_equal(const RandomCase& c, const StepCosts& costs) {
  const auto naive = reference(c, costs);
  for (const bool fold : {false, true}) {
    for (const bool jump : {false, true}) {
      const SweepOptions options{c.loops, c.slices, fold, jump, {}};
      if (!naive) {
        ASSERT_THROW(sweep(c.schedule, costs, options), UsageError);
        continue;
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(sweep(c.schedule, costs, options), *naive));
    }
    if (naive) {
      ASSERT_NO_FATAL_FAILURE(expect_equal_steps(c, costs, *naive, fold));
    }
  }
}

class RandomSchedules : public testing::TestWithParam<int> {};

TEST_P(RandomSchedules, SweepEqualsNaive) {
  constexpr int cases_per_block = 250;
  int deadlocks = 0;
  for (int i = 0; i < cases_per_block; ++i) {
    const auto seed = static_cast<std::uint64_t>(GetParam() * cases_per_block + i);
    const RandomCase c = random_case(seed);
    SCOPED_TRACE(c.describe());
    const RandomCosts costs(c.schedule, seed, c.temper);
    ASSERT_NO_FATAL_FAILURE(expect_all_engines_equal(c, costs));
    if (!reference(c, costs)) ++deadlocks;
  }
  // The generator must not degenerate into deadlocks.
  EXPECT_LT(deadlocks, cases_per_block / 2);
}

// Every algorithm at random shapes of 1 to 130 positions.
class CatalogueRows : public testing::TestWithParam<std::size_t> {};

TEST_P(CatalogueRows, SweepEqualsNaive) {
  const AlgorithmEntry& entry = algorithm_catalogue()[GetParam()];
  constexpr CostTemper tempers[] = {CostTemper::random, CostTemper::by_digit, CostTemper::uniform,
                                    CostTemper::straggler};
  for (std::uint64_t seed = 0; seed < 14; ++seed) {
    const auto draw = [&](std::uint64_t i, std::int64_t low, std::int64_t high) {
      return static_cast<std::int32_t>(random_int(seed, 31 + GetParam(), i, low, high));
    };
    ScheduleShape shape;
    const std::int32_t inner = draw(0, 1, seed % 4 == 0 ? 130 : 12);
    shape.space = {inner, draw(1, 1, 130 / inner)};
    shape.chunks = draw(2, 1, 40);
    shape.mirrored = draw(3, 0, 1) == 1;
    if (!why_not(entry, shape.space).empty()) continue;
    RandomCase c;
    c.seed = seed;
    c.schedule = entry.build(shape);
    c.schedule.fifo_depth = draw(4, 3, 9);
    c.slices = draw(5, 1, 2);
    c.temper = tempers[draw(6, 0, 3)];
    SCOPED_TRACE(c.describe());
    ASSERT_NO_FATAL_FAILURE(expect_all_engines_equal(c, RandomCosts(c.schedule, seed, c.temper)));
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, CatalogueRows,
                         testing::Range(std::size_t{0}, algorithm_catalogue().size()),
                         [](const auto& row) {
                           const AlgorithmEntry& entry = algorithm_catalogue()[row.param];
                           return std::string(entry.name) + "_" +
                                  std::string(to_string(entry.collective));
                         });

// Large messages run the schedule many times: most of the loops are passed over.
TEST(ManyLoops, JumpsFromLoopToLoopAreExact) {
  std::int64_t skipped = 0, updates = 0;
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (entry.cut != Cut::loops && entry.cut != Cut::pieces) continue;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      const auto draw = [&](std::uint64_t i, std::int64_t low, std::int64_t high) {
        return static_cast<std::int32_t>(random_int(seed, 57, i, low, high));
      };
      RandomCase c;
      c.seed = seed;
      c.schedule = entry.build({fitting_space(entry, {draw(0, 2, 6), draw(1, 2, 5)}), 1, false});
      c.schedule.fifo_depth = draw(2, 3, 8);
      c.slices = draw(3, 1, 2);
      c.loops = draw(4, 8, 70);
      c.temper = seed % 2 == 0 ? CostTemper::random : CostTemper::by_digit;
      SCOPED_TRACE(std::string(to_string(entry.collective)) + " " + c.describe());
      const RandomCosts costs(c.schedule, seed, c.temper);
      ASSERT_NO_FATAL_FAILURE(expect_all_engines_equal(c, costs));
      const SweepResult jumped = sweep(c.schedule, costs, {c.loops, c.slices, false, true, {}});
      EXPECT_EQ(jumped.updates + jumped.skipped, jumped.messages);
      skipped += jumped.skipped;
      updates += jumped.updates;
    }
  }
  EXPECT_GT(skipped, updates / 2);
}

// Wide rings go through blocks (ring_block.hpp), which the small cases above never reach.
TEST(WideRings, BlocksEqualNaiveOnEveryInstructionSet) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const auto draw = [seed](std::uint64_t i, std::int64_t low, std::int64_t high) {
      return static_cast<std::int32_t>(random_int(seed, 9, i, low, high));
    };
    Schedule schedule = ring_by_hand({draw(0, 256, 330)}, 0);
    for (Stage& stage : schedule.stages) stage.repeat = std::min(stage.repeat, draw(1, 40, 150));
    const std::int32_t slices = draw(2, 1, 4);
    const std::int32_t loops = draw(3, 1, 2);
    schedule.fifo_depth = slices + draw(4, 1, 6);
    const RandomCosts costs(schedule, seed, seed % 3 == 0 ? CostTemper::huge : CostTemper::random);
    SCOPED_TRACE(testing::Message() << "seed " << seed << " p " << schedule.positions());
    const NaiveTimeline naive = naive_timeline(schedule, costs, loops, slices);
    for (const InstructionSet set : available_instruction_sets()) {
      const SweepOptions options{loops, slices, false, true, std::string(to_string(set))};
      ASSERT_NO_FATAL_FAILURE(expect_equal(sweep(schedule, costs, options), naive));
    }
  }
}

// A slower rank never makes the collective faster, and no lane or port is ever overbooked.
TEST(Laws, MoreCostIsNeverLessTimeAndBoundsHold) {
  int checked = 0;
  for (std::uint64_t seed = 5000; seed < 5400; ++seed) {
    const RandomCase c = random_case(seed);
    RandomCosts costs(c.schedule, seed, c.temper);
    const auto naive = reference(c, costs);
    if (!naive) continue;
    SCOPED_TRACE(c.describe());
    const SweepOptions options{c.loops, c.slices, true, true, {}};
    const SweepResult before = sweep(c.schedule, costs, options);
    EXPECT_GE(before.makespan.value(), naive->longest_lane_sum);
    ASSERT_EQ(naive->unreceived, 0);
    EXPECT_GE(before.makespan.value(), naive->longest_port_sum);
    const auto position =
        static_cast<std::int32_t>(seed % static_cast<std::uint64_t>(c.schedule.positions()));
    costs.slow_down(position, 12'345);
    EXPECT_GE(sweep(c.schedule, costs, options).makespan, before.makespan);
    ++checked;
  }
  EXPECT_GT(checked, 200);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSchedules, testing::Range(0, 10));

}  // namespace
}  // namespace fabricast
