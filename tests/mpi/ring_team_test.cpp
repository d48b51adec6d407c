// Long rings divided among processes give the clocks of one process; run with 1 to 4 processes.
#include <gtest/gtest.h>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/ring_team.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

Communicator& world() {
  static Communicator communicator = Communicator::world();
  return communicator;
}

constexpr std::int32_t ranks = 4610;  // not a multiple of 3 or 4

void expect_as_alone(CostTemper temper, std::int32_t slices, bool jump) {
  const Schedule schedule = ring_all_reduce({ranks});
  const RandomCosts costs(schedule, 5, temper);
  for (const InstructionSet set : available_instruction_sets()) {
    SweepOptions options;
    options.fold = false;
    options.jump = jump;
    options.slices = slices;
    options.instruction_set = to_string(set);
    const SweepResult alone = sweep(schedule, costs, options);
    options.team = &world();
    const SweepResult divided = sweep(schedule, costs, options);
    ASSERT_EQ(divided.makespan, alone.makespan) << to_string(set);
    EXPECT_EQ(divided.updates + divided.skipped, alone.updates + alone.skipped);
    ASSERT_EQ(divided.stages.size(), alone.stages.size());
    for (std::size_t s = 0; s < alone.stages.size(); ++s) {
      EXPECT_EQ(divided.stages[s].start_ps, alone.stages[s].start_ps) << s;
      EXPECT_EQ(divided.stages[s].end_ps, alone.stages[s].end_ps) << s;
    }
  }
}

TEST(RingTeam, EveryColumnHasOneOwner) {
  const RingTeam team(world(), ranks);
  EXPECT_EQ(RingTeam::pays(world(), ranks, ranks), world().size() > 1);
  std::int32_t next = 0;
  for (int process = 0; process < world().size(); ++process) {
    EXPECT_EQ(team.share(process).first, next);
    next = team.share(process).end;
  }
  EXPECT_EQ(next, ranks);
}

TEST(RingTeam, UnevenCosts) { expect_as_alone(CostTemper::random, 1, false); }

TEST(RingTeam, SeveralMessagesInFlight) { expect_as_alone(CostTemper::random, 2, false); }

TEST(RingTeam, AllPassOverTheSamePeriods) {
  expect_as_alone(CostTemper::straggler, 1, true);
  expect_as_alone(CostTemper::random, 1, true);
}

}  // namespace
}  // namespace fabricast

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  fabricast::Communicator::finish();
  return failed;
}
