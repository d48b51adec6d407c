// Many cost sets in one pass: member m has exactly the makespan of wired_sweep with its costs, on
// seeded random schedules, on every instruction set, with and without periodic jumps.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/sweep.hpp"
#include "emulator/sim/wired_many.hpp"
#include "emulator/sim/wired_sweep.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

struct Members {
  std::vector<std::unique_ptr<RandomCosts>> owned;
  std::vector<const StepCosts*> sets;
};

Members members_of(const Schedule& schedule, std::uint64_t seed, CostTemper temper, int count) {
  Members members;
  for (int m = 0; m < count; ++m) {
    members.owned.push_back(
        std::make_unique<RandomCosts>(schedule, seed + static_cast<std::uint64_t>(m), temper));
    members.sets.push_back(members.owned.back().get());
  }
  return members;
}

TEST(ManySets, EqualSingleSweepsOnRandomCases) {
  int deadlocks = 0, done = 0, jumps = 0;
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    const RandomCase c = random_case(seed);
    SCOPED_TRACE(c.describe());
    const Members members =
        members_of(c.schedule, 1000 * seed, c.temper, 1 + static_cast<int>(seed % 11));
    std::optional<WiredProgram> program;
    try {
      program = wire(c.schedule, *members.sets.front());
      wired_sweep(*program, c.loops, c.slices);
    } catch (const UsageError&) {
      ++deadlocks;
      if (program) {
        EXPECT_THROW(wired_sweep_many(*program, c.schedule, members.sets, c.loops, c.slices,
                                      InstructionSet::baseline),
                     UsageError);
      }
      continue;
    }
    for (const InstructionSet set : available_instruction_sets()) {
      const auto many = wired_sweep_many(*program, c.schedule, members.sets, c.loops, c.slices, set,
                                         seed % 3 != 0);
      ASSERT_EQ(many.makespan_ps.size(), members.sets.size());
      jumps += many.skipped > 0;
      for (std::size_t m = 0; m < members.sets.size(); ++m) {
        const auto one = wired_sweep(wire(c.schedule, *members.sets[m]), c.loops, c.slices);
        ASSERT_EQ(many.makespan_ps[m], one.makespan_ps) << "member " << m;
        ++done;
      }
    }
  }
  EXPECT_GT(done, 500);
  EXPECT_GT(deadlocks, 0);
  EXPECT_GT(jumps, 0);
}

TEST(ManySets, SweepMakespansIsSweepWhateverEngineRuns) {
  for (std::uint64_t seed = 300; seed < 360; ++seed) {
    const RandomCase c = random_case(seed);
    SCOPED_TRACE(c.describe());
    const Members members = members_of(c.schedule, seed, c.temper, 5);
    SweepOptions options{c.loops, c.slices, seed % 2 == 0, true, {}};
    std::vector<std::int64_t> expected;
    try {
      for (const StepCosts* costs : members.sets) {
        expected.push_back(sweep(c.schedule, *costs, options).makespan.value());
      }
    } catch (const UsageError&) {
      EXPECT_THROW(sweep_makespans(c.schedule, members.sets, options), UsageError);
      continue;
    }
    std::vector<std::int64_t> together;
    for (const SimDuration time : sweep_makespans(c.schedule, members.sets, options)) {
      together.push_back(time.value());
    }
    EXPECT_EQ(together, expected);
  }
}

TEST(ManySets, JumpsOnlyWhereEveryMemberIsPeriodic) {
  const Schedule tree = tree_all_reduce({8, 4}, 4000, false);
  const Members members = members_of(tree, 7, CostTemper::uniform, 3);
  const WiredProgram program = wire(tree, *members.sets.front());
  const auto set = available_instruction_sets().back();
  const auto jumped = wired_sweep_many(program, tree, members.sets, 1, 1, set, true);
  const auto walked = wired_sweep_many(program, tree, members.sets, 1, 1, set, false);
  EXPECT_EQ(jumped.makespan_ps, walked.makespan_ps);
  EXPECT_GT(jumped.skipped, 0);
  EXPECT_EQ(walked.skipped, 0);
  EXPECT_EQ(jumped.updates + jumped.skipped, walked.updates);
}

}  // namespace
}  // namespace fabricast
