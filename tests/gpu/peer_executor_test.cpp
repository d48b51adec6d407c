// Every schedule between GPUs, a rank per process and GPU; run under mpirun with as many processes
// as there may be GPUs, skipped where there are fewer. All processes execute the same tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

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

// One domain, or two if the row needs them.
std::optional<RankSpace> space_for(const AlgorithmEntry& row, std::int32_t processes) {
  for (const RankSpace& space : {RankSpace{processes}, RankSpace{2, std::max(processes / 2, 1)}}) {
    if (space.size() == processes && why_not(row, space).empty()) return space;
  }
  return std::nullopt;
}

TEST(PeerExecutor, EveryScheduleIsBitExactWithEveryHandOff) {
  std::string why;
  const auto executor = executor_or_why(why);
  if (!executor) GTEST_SKIP() << why;
  for (const AlgorithmEntry& row : algorithm_catalogue()) {
    const auto space = space_for(row, world().size());
    if (!space) continue;
    for (const HandOff hand_off : hand_offs) {
      conformance::run_row(*executor, row, {*space}, 8, hand_off);
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
