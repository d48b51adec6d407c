// Sections against the specification, and what is none.
#include "emulator/sim/section_sweep.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

void expect_as_specified(const Schedule& schedule, std::uint64_t seed, CostTemper temper,
                         std::int32_t slices) {
  const RandomCosts costs(schedule, seed, temper);
  const NaiveTimeline naive = naive_timeline(schedule, costs, 1, slices);
  for (const InstructionSet set : available_instruction_sets()) {
    const auto outcome = section_sweep(schedule, costs, slices, set);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(SimDuration(outcome->makespan_ps), naive.makespan);
    EXPECT_EQ(outcome->updates, naive.messages);
    ASSERT_EQ(outcome->stages.size(), naive.stages.size());
    for (std::size_t s = 0; s < naive.stages.size(); ++s) {
      EXPECT_EQ(outcome->stages[s].start_ps, naive.stages[s].start_ps) << s;
      EXPECT_EQ(outcome->stages[s].end_ps, naive.stages[s].end_ps) << s;
    }
  }
}

TEST(SectionSweep, EqualsTheSpecification) {
  std::uint64_t seed = 0;
  for (const RankSpace& ranks :
       {RankSpace{2, 2}, RankSpace{2, 9}, RankSpace{3, 5}, RankSpace{8, 6}, RankSpace{5, 16}}) {
    for (const std::int32_t pieces : {1, 3, 11}) {
      for (const CostTemper temper :
           {CostTemper::random, CostTemper::by_digit, CostTemper::straggler, CostTemper::huge}) {
        const bool mirrored = ++seed % 2 == 0;
        Schedule schedule = hierarchical_tree_all_reduce(ranks, pieces, mirrored);
        schedule.fifo_depth = 3 + static_cast<std::int32_t>(seed % 6);
        SCOPED_TRACE(testing::Message()
                     << ranks.radix(0) << "x" << ranks.radix(1) << ", " << pieces
                     << " pieces, seed " << seed << ", " << schedule.fifo_depth << " slots");
        ASSERT_NO_FATAL_FAILURE(
            expect_as_specified(schedule, seed, temper, 1 + static_cast<std::int32_t>(seed % 2)));
      }
    }
  }
}

// More domains than fit into one tile of rows.
TEST(SectionSweep, TilesMakeNoDifference) {
  expect_as_specified(hierarchical_tree_all_reduce({3, 1500}, 2, false), 5, CostTemper::random, 1);
}

TEST(SectionSweep, RowsAlone) {
  expect_as_specified(hierarchical_all_gather({4, 6}), 7, CostTemper::random, 2);
  // Several tiles of either section.
  expect_as_specified(hierarchical_all_gather({700, 3}), 8, CostTemper::random, 1);
  expect_as_specified(hierarchical_all_gather({3, 700}), 9, CostTemper::random, 1);
}

TEST(SectionSweep, IsWhatSweepUsesForOneLoop) {
  const Schedule schedule = hierarchical_tree_all_reduce({4, 6}, 3, false);
  const RandomCosts costs(schedule, 3, CostTemper::random);
  const SweepResult one = sweep(schedule, costs, {});
  EXPECT_EQ(one.makespan, naive_makespan(schedule, costs, 1, 1));
  const auto alone = section_sweep(schedule, costs, 1, choose_instruction_set(""));
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(one.state_bytes, alone->state_bytes);
  SweepOptions two;
  two.loops = 2;
  EXPECT_EQ(sweep(schedule, costs, two).makespan, naive_makespan(schedule, costs, 2, 1));
  const StepCosts* sets[] = {&costs, &costs};
  EXPECT_EQ(sweep_makespans(schedule, sets, {}), std::vector(2, one.makespan));
}

TEST(SectionSweep, InsideAndAcrossAndInsideAgain) {
  const Schedule schedule = hierarchical_tree_all_reduce({4, 6}, 3, false);
  const auto sections = sections_of(schedule);
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[0].end, sections[1].first);
  EXPECT_EQ(sections[1].end, sections[2].first);
  EXPECT_EQ(sections[0].digit, sections[2].digit);
  EXPECT_NE(sections[0].digit, sections[1].digit);
  EXPECT_TRUE(sections[1].tree);
  EXPECT_FALSE(sections[0].tree || sections[2].tree);
}

TEST(SectionSweep, WhatIsNotInSections) {
  EXPECT_TRUE(sections_of(ring_all_reduce({8})).empty());
  EXPECT_TRUE(sections_of(ring_all_reduce({4, 2})).empty()) << "along all positions";
  EXPECT_TRUE(sections_of(tree_all_reduce({4, 4}, 3, false)).empty()) << "along two digits";
  EXPECT_TRUE(sections_of(in_switch_tree_all_reduce({4, 4}, false)).empty()) << "groups";

  Schedule shared = hierarchical_tree_all_reduce({4, 6}, 3, false);
  for (Stage& stage : shared.stages) {
    for (PhaseGroup& group : stage.groups) {
      for (Phase& phase : group.phases) phase.peer_in.fifo = phase.peer_out.fifo = 0;
    }
  }
  EXPECT_TRUE(sections_of(shared).empty()) << "the same connections twice";

  Schedule early = hierarchical_tree_all_reduce({4, 6}, 3, false);
  Phase& waits = early.stages[4].groups.front().phases.front();
  ASSERT_TRUE(static_cast<bool>(waits.after));
  std::vector<std::int32_t> first(2 * static_cast<std::size_t>(early.positions()), 0);
  waits.after = MapTable(first);
  EXPECT_TRUE(sections_of(early).empty()) << "an earlier stage is awaited, whose end is not kept";
}

}  // namespace
}  // namespace fabricast
