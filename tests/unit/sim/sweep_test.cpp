#include "emulator/sim/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/sweep_memo.hpp"
#include "tests/unit/sim/constant_costs.hpp"
#include "tests/unit/sim/random_case.hpp"

namespace fabricast {
namespace {

SweepOptions unfolded() {
  SweepOptions options;
  options.fold = false;
  return options;
}

TEST(Sweep, SymmetricDomainsFoldExactly) {
  const Schedule schedule = ring_all_reduce({72, 14});
  const RandomCosts costs(schedule, 3, CostTemper::by_digit);
  const SweepResult folded = sweep(schedule, costs, {});
  const SweepResult full = sweep(schedule, costs, unfolded());
  EXPECT_EQ(folded.classes, 72);
  EXPECT_EQ(folded.class_of.size(), 1008u);
  EXPECT_EQ(folded.fold_note, "72 classes of 1008 positions");
  EXPECT_EQ(folded.makespan, full.makespan);
  EXPECT_EQ((folded.updates + folded.skipped) * 14, full.updates + full.skipped);
  EXPECT_EQ(folded.messages, full.messages);
  EXPECT_EQ(full.classes, 1008);
  EXPECT_TRUE(full.class_of.empty());
}

TEST(Sweep, HierarchicalFoldsToo) {
  const Schedule schedule = hierarchical_all_reduce({8, 12});
  const RandomCosts costs(schedule, 3, CostTemper::by_digit);
  const SweepResult folded = sweep(schedule, costs, {});
  EXPECT_EQ(folded.classes, 8);
  EXPECT_EQ(folded.makespan, sweep(schedule, costs, unfolded()).makespan);
}

TEST(Sweep, AStragglerOnARingPreventsFoldingAndSaysSo) {
  const Schedule schedule = ring_all_reduce({200});
  const RandomCosts costs(schedule, 3, CostTemper::straggler);
  const SweepResult result = sweep(schedule, costs, {});
  EXPECT_EQ(result.classes, 200);
  EXPECT_EQ(result.fold_note, "unfolded: 200 positions fall into 200 classes, no gain");
}

TEST(Sweep, TreesSayWhyTheyAreNotFolded) {
  const Schedule schedule = tree_all_reduce({4, 4}, 3, false);
  const SweepResult result = sweep(schedule, ConstantCosts(schedule, {1, 2, 3, 4}), {});
  EXPECT_EQ(result.fold_note, "unfolded: stage 'tree' is a tree or a chain");
}

TEST(Sweep, AHintIsUsedOnlyIfItIsTrue) {
  const Schedule schedule = ring_all_reduce({12, 10});
  const RandomCosts costs(schedule, 3, CostTemper::by_digit);
  const SweepResult plain = sweep(schedule, costs, {});
  SweepOptions right;
  right.class_hint = plain.class_of;
  EXPECT_EQ(sweep(schedule, costs, right).makespan, plain.makespan);
  SweepOptions wrong;
  wrong.class_hint.assign(120, 0);
  const SweepResult corrected = sweep(schedule, costs, wrong);
  EXPECT_EQ(corrected.makespan, plain.makespan);
  EXPECT_EQ(corrected.classes, 12);
}

TEST(Sweep, InstructionSetsAreForcedAndAgree) {
  const Schedule schedule = ring_all_reduce({700});
  const RandomCosts costs(schedule, 5, CostTemper::random);
  const SweepResult best = sweep(schedule, costs, {});
  for (const InstructionSet set : available_instruction_sets()) {
    SweepOptions options;
    options.instruction_set = to_string(set);
    const SweepResult result = sweep(schedule, costs, options);
    EXPECT_EQ(result.makespan, best.makespan);
    EXPECT_EQ(result.instruction_set, to_string(set));
  }
  SweepOptions unknown;
  unknown.instruction_set = "x86-64-v9";
  EXPECT_THROW(sweep(schedule, costs, unknown), UsageError);
}

// All slices of a repetition at once (uniform_exchange.cpp), against one step after another, which
// a log asks for.
TEST(Sweep, ExchangesAreTheSameBySliceAndByRepetition) {
  for (const RankSpace& space : {RankSpace{8, 9}, RankSpace{5, 7}, RankSpace{6}}) {
    for (const Schedule& schedule : {grouped_all_to_all(space), pairwise_all_to_all(space)}) {
      for (std::uint64_t seed = 0; seed < 24; ++seed) {
        const auto temper = static_cast<CostTemper>(seed / 2 % 5);
        const RandomCosts costs(schedule, seed, temper);
        SweepOptions options = unfolded();
        options.slices = 1 + static_cast<std::int32_t>(seed % 7);
        StepLog log({0}, schedule.roles);
        SweepOptions by_step = options;
        by_step.log = &log;
        const SweepResult expected = sweep(schedule, costs, by_step);
        for (const InstructionSet set : available_instruction_sets()) {
          options.instruction_set = to_string(set);
          const SweepResult result = sweep(schedule, costs, options);
          ASSERT_EQ(result.makespan, expected.makespan) << to_string(set) << ' ' << seed;
          ASSERT_EQ(result.updates, expected.updates);
          ASSERT_EQ(result.stages.back().end_ps, expected.stages.back().end_ps);
        }
      }
    }
  }
}

TEST(Sweep, ARingNeedsMoreSlotsThanSlices) {
  const Schedule schedule = ring_by_hand({600}, 4);
  const ConstantCosts costs(schedule, {1, 1, 1, 1});
  SweepOptions options;
  options.slices = 3;
  EXPECT_NO_THROW(sweep(schedule, costs, options));
  options.slices = 4;
  try {
    sweep(schedule, costs, options);
    FAIL() << "four slots cannot carry four slices around a ring";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("deadlock"));
    EXPECT_THAT(error.what(), testing::HasSubstr("position 0, role 0"));
    EXPECT_THAT(error.what(), testing::HasSubstr("fifo_depth 4, slices 4"));
  }
}

TEST(Sweep, PeriodicJumpsSkipMostOfALongPipeline) {
  const Schedule schedule = tree_all_reduce({4, 6}, 5000, false);
  const RandomCosts costs(schedule, 11, CostTemper::random);
  SweepOptions every;
  every.jump = false;
  const SweepResult jumped = sweep(schedule, costs, {});
  const SweepResult full = sweep(schedule, costs, every);
  EXPECT_EQ(jumped.makespan, full.makespan);
  EXPECT_EQ(jumped.messages, full.messages);
  EXPECT_EQ(full.skipped, 0);
  EXPECT_GT(jumped.skipped, full.updates / 2);
  EXPECT_EQ(jumped.updates + jumped.skipped, full.updates);
}

TEST(Sweep, MemoryStaysSmallForAllToAllAndLargeRings) {
  const Schedule exchange = pairwise_all_to_all({1000});
  const ConstantCosts exchange_costs(exchange, {3, 5, 7, 2});
  EXPECT_LT(sweep(exchange, exchange_costs, {}).state_bytes, 2'000'000);
  const Schedule ring = ring_all_gather({72, 140});
  const SweepResult result = sweep(ring, ConstantCosts(ring, {3, 5, 7, 2}), unfolded());
  EXPECT_EQ(result.updates + result.skipped, 10'080LL * 10'080);
  EXPECT_LT(result.state_bytes, 20'000'000);
  EXPECT_EQ(result.makespan.value(), 10'079LL * (5 + 7) + 3);
}

TEST(Sweep, RefusesNonsense) {
  const Schedule schedule = ring_all_reduce({4});
  SweepOptions options;
  options.loops = 0;
  EXPECT_THROW(sweep(schedule, ConstantCosts(schedule, {1, 1, 1, 1}), options), UsageError);
}

TEST(SweepMemo, EvaluatesEachDistinctCollectiveOnce) {
  SweepMemo memo;
  int evaluated = 0;
  const auto evaluate = [&evaluated] { return SimDuration(++evaluated); };
  EXPECT_EQ(memo.time({"ring", 8, 0}, evaluate).value(), 1);
  EXPECT_EQ(memo.time({"ring", 8, 1}, evaluate).value(), 2);
  EXPECT_EQ(memo.time({"tree", 8, 0}, evaluate).value(), 3);
  EXPECT_EQ(memo.time({"ring", 16, 0}, evaluate).value(), 4);
  EXPECT_EQ(memo.time({"ring", 8, 1}, evaluate).value(), 2);
  EXPECT_EQ(memo.distinct(), 4u);
}

}  // namespace
}  // namespace fabricast
