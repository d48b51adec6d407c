// The all-reduce in the switch, a rank per process and GPU; run under mpirun with as many processes
// as there may be GPUs, skipped where they are fewer or no switch joins them. All processes execute
// the same tests.
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "kernels/lane/multimem.hpp"
#include "tests/gpu/patience.hpp"

namespace fabricast {
namespace {

Communicator& world() {
  static Communicator communicator = Communicator::world();
  return communicator;
}

std::unique_ptr<Executor> executor_or_why(std::string& why) {
  try {
    return make_multimem_executor(world());
  } catch (const AgreedError& error) {
    why = error.what();
    return nullptr;
  }
}

TEST(MultimemExecutor, EveryTypeAndOperatorIsBitExactAtEverySize) {
  std::string why;
  const auto executor = executor_or_why(why);
  if (!executor) GTEST_SKIP() << why;
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      if (!lane::switch_reduces(type, op)) continue;
      for (const std::int64_t elements : {1, 7, 1500, 100'001, 20'000'003}) {
        if (at_most(elements) != elements) continue;
        for (const std::int32_t channels : {1, 16}) {
          PlanLimits limits;
          limits.channels = channels;
          const auto plan = make_plan(Collective::all_reduce, "nvls", RankSpace{world().size()},
                                      elements * size_of(type), size_of(type), limits);
          for (const bool in_place : {false, true}) {
            executor->prepare({&plan, type, op, in_place});
            EXPECT_EQ(executor->check(), 0) << elements;
            EXPECT_EQ(executor->check(), 0) << elements << " again";
            EXPECT_GT(executor->run(), 0);
          }
        }
      }
    }
  }
}

// Where it cannot be, all processes say the same and nobody waits.
TEST(MultimemExecutor, ARefusalIsAgreedOn) {
  std::string why;
  if (executor_or_why(why)) GTEST_SKIP() << "a switch for all";
  EXPECT_NE(why, "");
  const auto all = world().all_gather(why);
  for (const auto& text : all) EXPECT_EQ(text, why);
}

}  // namespace
}  // namespace fabricast

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  fabricast::world();
  const int result = RUN_ALL_TESTS();
  fabricast::Communicator::finish();
  return result;
}
