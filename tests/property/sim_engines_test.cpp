// Engines against the specification on seeded random cases: sweep == naive longest path, folded or
// not, with and without periodic jumps, on every instruction set; deadlocks are found by both.
#include <gtest/gtest.h>

#include <optional>

#include "emulator/base/error.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
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

class RandomSchedules : public testing::TestWithParam<int> {};

TEST_P(RandomSchedules, SweepEqualsNaive) {
  constexpr int cases_per_block = 150;
  int deadlocks = 0;
  for (int i = 0; i < cases_per_block; ++i) {
    const auto seed = static_cast<std::uint64_t>(GetParam() * cases_per_block + i);
    const RandomCase c = random_case(seed);
    SCOPED_TRACE(c.describe());
    const RandomCosts costs(c.schedule, seed, c.temper);
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
    }
    if (!naive) ++deadlocks;
  }
  // The generator must not degenerate into deadlocks.
  EXPECT_LT(deadlocks, cases_per_block / 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSchedules, testing::Range(0, 10));

}  // namespace
}  // namespace fabricast
