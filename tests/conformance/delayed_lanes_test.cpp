// Device logic under injected delays and adversarial order of lanes; clean under ThreadSanitizer
// (preset tsan).
#include "tests/conformance/delayed_lanes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <tuple>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/hand_made.hpp"

namespace fabricast::conformance {
namespace {

constexpr std::uint64_t seed = 4711;

class DelayedLanes : public testing::TestWithParam<std::tuple<AlgorithmEntry, HandOff>> {};

// Small messages: what matters is how often lanes meet.
TEST_P(DelayedLanes, AnyTimingGivesTheSameResult) {
  const auto& [entry, hand_off] = GetParam();
  const AlgorithmEntry* row = find_algorithm(entry.name, entry.collective);
  int ran = 0;
  std::uint64_t number = 0;
  for (auto c : random_cases(*row, 6, seed, 40)) {
    if (!refusal(c).empty()) continue;
    c.elements %= 1500;
    SCOPED_TRACE(to_string(c));
    const auto plan = make_plan(row->collective, row->name, c.space, c.elements * size_of(c.type),
                                size_of(c.type), c.limits, c.root);
    DelayedRun run;
    run.seed = seed + ++number;
    run.order = lane_orders[number % std::size(lane_orders)];
    run.peers = number % 3 == 0;
    const auto result = run_delayed({&plan, c.type, c.op, c.in_place, hand_off}, run);
    EXPECT_EQ(result.stall, "");
    EXPECT_EQ(result.wrong, 0);
    ++ran;
  }
  EXPECT_GE(ran, 4);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, DelayedLanes,
                         testing::Combine(testing::ValuesIn(algorithm_catalogue().begin(),
                                                            algorithm_catalogue().end()),
                                          testing::ValuesIn(hand_offs)),
                         [](const auto& named) {
                           return fmt::format("{}_{}", name_of(std::get<0>(named.param)),
                                              to_string(std::get<1>(named.param)));
                         });

using DelayedHandOffs = testing::TestWithParam<HandOff>;
INSTANTIATE_TEST_SUITE_P(All, DelayedHandOffs, testing::ValuesIn(hand_offs),
                         [](const auto& named) { return std::string(to_string(named.param)); });

TEST_P(DelayedHandOffs, LanesThatWaitForLanesSeeWhatTheseHaveWritten) {
  for (const LaneOrder order : lane_orders) {
    for (std::uint64_t s = 0; s < 4; ++s) {
      for (const bool in_place : {false, true}) {
        const auto all_pairs = plan_of(all_pairs_all_reduce(3), {3 * 6 * 23, 4, 1, 6, 2, 3});
        const auto gather = plan_of(two_part_all_gather(3), {701, 4, 2, 2, 2, 3});
        for (const auto* plan : {&all_pairs, &gather}) {
          DelayedRun run;
          run.seed = seed * 31 + s;
          run.order = order;
          run.peers = s % 2 == 1;
          const auto result =
              run_delayed({plan, DataType::float32, ReduceOp::sum, in_place, GetParam()}, run);
          EXPECT_EQ(result.stall, "") << plan->algorithm;
          EXPECT_EQ(result.wrong, 0) << plan->algorithm;
        }
      }
    }
  }
}

TEST_P(DelayedHandOffs, AWithheldLaneIsAnErrorNamingLaneAndStepWithinTheLimit) {
  const auto plan = plan_of(all_pairs_all_reduce(2), {200, 4, 1, 1, 1, 8});
  DelayedRun run;
  run.stall_limit_seconds = 0.4;
  run.withheld = {1};  // rank 0, role 1
  const auto start = std::chrono::steady_clock::now();
  const auto result =
      run_delayed({&plan, DataType::float32, ReduceOp::sum, false, GetParam()}, run);
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited.count(), 0.4);
  EXPECT_LT(waited.count(), 5.0);  // the machine may be busy
  const bool rank0 = result.stall ==
                     "rank 0 channel 0 role 2 waits at step 0 of 4 (stage add, repetition 0, loop "
                     "0, slice 0) for role 1 to end stage scatter";
  const bool rank1 = result.stall ==
                     "rank 1 channel 0 role 3 waits at step 0 of 1 (stage spread, repetition 0, "
                     "loop 0, slice 0) for a message from rank 0";
  EXPECT_TRUE(rank0 || rank1) << result.stall;
}

// Three slots cannot hold the four slices of a ring step (semantics 4.3).
TEST_P(DelayedHandOffs, ADeadlockForWantOfSlotsIsAnErrorNamingLaneAndStep) {
  auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{3}, 3 * 4096, 4,
                        {1, 4096, 1024, 0, 8, 4});
  ASSERT_EQ(plan.slices, 4);
  auto schedule = *plan.channels[0].schedule;
  schedule.fifo_depth = 3;
  plan.channels[0].schedule = std::make_shared<const Schedule>(schedule);
  DelayedRun run;
  run.stall_limit_seconds = 0.4;
  const auto result =
      run_delayed({&plan, DataType::float32, ReduceOp::sum, false, GetParam()}, run);
  EXPECT_NE(result.stall.find("channel 0 role 0 waits at step 0 of 5 (stage first_send, repetition "
                              "0, loop 0, slice 3) for a free slot towards rank"),
            std::string::npos)
      << result.stall;
}

}  // namespace
}  // namespace fabricast::conformance
