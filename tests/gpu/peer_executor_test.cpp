// Every schedule between GPUs, a rank per process and GPU; run under mpirun with as many processes
// as there may be GPUs, skipped where there are fewer. All processes execute the same tests.
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "tests/conformance/conformance.hpp"

namespace fabricast {
namespace {

Communicator& world() {
  static Communicator communicator = Communicator::world();
  return communicator;
}

std::unique_ptr<Executor> executor_or_why(std::string& why) {
  try {
    return make_peer_executor(world());
  } catch (const AgreedError& error) {
    why = error.what();
    return nullptr;
  }
}

TEST(PeerExecutor, EveryScheduleIsBitExactWithEveryHandOff) {
  std::string why;
  const auto executor = executor_or_why(why);
  if (!executor) GTEST_SKIP() << why;
  for (const AlgorithmEntry& row : algorithm_catalogue()) {
    if (row.needs == Needs::two_levels && world().size() < 4) continue;
    for (const HandOff hand_off : hand_offs) {
      conformance::run_row(*executor, row, {RankSpace{world().size()}}, 8, hand_off);
    }
  }
}

// Where it cannot be, all processes say the same and nobody waits.
TEST(PeerExecutor, ARefusalIsAgreedOn) {
  std::string why;
  if (executor_or_why(why)) GTEST_SKIP() << "GPUs for all";
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
