// Every schedule as CTAs of one GPU, with every hand-off.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "kernels/cuda/reduce_copy.hpp"
#include "tests/conformance/conformance.hpp"
#include "tests/conformance/hand_made.hpp"
#include "tests/gpu/patience.hpp"

namespace fabricast::conformance {
namespace {

template <class Parameter>
class OnDevice : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    const auto cuda = cuda_availability();
    if (!cuda.available) GTEST_SKIP() << cuda.reason;
  }
};

using CudaConformance = OnDevice<std::tuple<AlgorithmEntry, HandOff>>;
TEST_P(CudaConformance, EveryShapeIsBitExactOrRefusedForItsReason) {
  const auto& [entry, hand_off] = GetParam();
  const AlgorithmEntry* row = find_algorithm(entry.name, entry.collective);
  const auto executor = make_cuda_executor(16, 0);
  run_row(*executor, *row,
          {RankSpace{1}, RankSpace{2}, RankSpace{3}, RankSpace{8}, RankSpace{2, 2}, RankSpace{3, 4},
           RankSpace{2, 5}, RankSpace{1, 7}},
          50, hand_off);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, CudaConformance,
                         testing::Combine(testing::ValuesIn(algorithm_catalogue().begin(),
                                                            algorithm_catalogue().end()),
                                          testing::ValuesIn(hand_offs)),
                         [](const auto& named) {
                           return fmt::format("{}_{}", name_of(std::get<0>(named.param)),
                                              to_string(std::get<1>(named.param)));
                         });

using CudaHandMade = OnDevice<HandOff>;
TEST_P(CudaHandMade, EveryInstructionAndLanesThatWaitForLanes) {
  const auto executor = make_cuda_executor(3, 0);
  for (const auto& plan :
       {plan_of(all_pairs_all_reduce(3), {2 * 3 * 7 * 41, 4, 2, 7, 3, 4}),
        plan_of(two_part_all_gather(3), {3001, 4, 2, 2, 2, 3}),
        plan_of(ring_in_output(Collective::all_reduce, 3), {1003, 4, 2, 2, 2, 4})}) {
    for (const bool in_place : {false, true}) {
      executor->prepare({&plan, DataType::float32, ReduceOp::sum, in_place, GetParam()});
      EXPECT_EQ(executor->check(), 0) << plan.algorithm;
      EXPECT_EQ(executor->check(), 0) << plan.algorithm;
    }
  }
}
// Short chunks: nothing but a fence makes the sender's copy visible in time.
TEST_P(CudaHandMade, AMessageOrdersWhatItsSenderDidBefore) {
  const auto executor = make_cuda_executor(2, 0);
  for (const Cut& cut : {Cut{4000, 4, 1, 1, 1, 4}, Cut{40000, 4, 1, 5, 2, 4}}) {
    const auto plan = plan_of(handed_back_broadcast(), cut);
    executor->prepare({&plan, DataType::float32, ReduceOp::sum, false, GetParam()});
    EXPECT_EQ(executor->check(), 0) << cut.loops;
    EXPECT_EQ(executor->check(), 0) << cut.loops << " again";
  }
}
// Nothing but the fence after receiving makes the second look another one.
TEST_P(CudaHandMade, AMessageOrdersWhatItsReceiverDoesAfterwards) {
  const auto executor = make_cuda_executor(2, 0);
  for (const Cut& cut : {Cut{12000, 4, 1, 6, 1, 4}, Cut{40000, 4, 1, 4, 2, 4}}) {
    const auto plan = plan_of(looked_at_twice_reduce(), cut);
    executor->prepare({&plan, DataType::float32, ReduceOp::sum, false, GetParam()});
    EXPECT_EQ(executor->check(), 0) << cut.loops;
    EXPECT_EQ(executor->check(), 0) << cut.loops << " again";
  }
}
INSTANTIATE_TEST_SUITE_P(All, CudaHandMade, testing::ValuesIn(hand_offs),
                         [](const auto& named) { return std::string(to_string(named.param)); });

using CudaReduceCopy = OnDevice<lane::Rung>;
TEST_P(CudaReduceCopy, IsTheReferenceForEveryTypeAndOperator) {
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      for (const bool reduces : {true, false}) {
        for (const std::int64_t elements :
             {std::int64_t{1}, std::int64_t{1023}, at_most(1 << 20)}) {
          const auto timed =
              cuda::time_reduce_copy(0, {GetParam(), reduces, type, op, elements, 7}, 1);
          EXPECT_EQ(timed.wrong, 0);
          EXPECT_GT(timed.best_seconds, 0);
        }
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, CudaReduceCopy, testing::ValuesIn(lane::rungs),
                         [](const auto& named) { return std::string(to_string(named.param)); });

using CudaExecutorLimits = OnDevice<int>;
TEST_P(CudaExecutorLimits, MoreLanesThanFitTogetherIsAUsageErrorWithNumbers) {
  const std::int32_t too_many = 1 << 16;
  const auto executor = make_cuda_executor(too_many, 0);
  const auto plan = make_plan(Collective::broadcast, "ring", RankSpace{too_many}, 64, 4, {});
  EXPECT_FALSE(executor->may_time(plan).allowed);
  EXPECT_THROW(executor->prepare({&plan}), UsageError);
}

TEST_P(CudaExecutorLimits, LargeMessagesAreTimed) {
  const auto executor = make_cuda_executor(4, 0);
  const auto best_of = [&](std::int64_t bytes) {
    const auto plan = make_plan(Collective::all_reduce, "ring", RankSpace{4}, bytes, 4, {});
    executor->prepare({&plan});
    EXPECT_EQ(executor->check(), 0);
    double best = executor->run();
    for (int i = 0; i < 9; ++i) best = std::min(best, executor->run());
    return best;
  };
  const std::int64_t large = 4 * at_most(16 << 20);
  EXPECT_GT(best_of(large), 4 * best_of(large >> 10));
}

INSTANTIATE_TEST_SUITE_P(Once, CudaExecutorLimits, testing::Values(0));

}  // namespace
}  // namespace fabricast::conformance
