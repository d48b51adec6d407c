#include "emulator/runtime/thread_team.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "emulator/runtime/usable_cores.hpp"

namespace fabricast {
namespace {

TEST(ThreadTeam, EveryMemberRunsOncePerRun) {
  ThreadTeam team(3, 16, false);
  std::vector<int> runs(3, 0);
  for (int i = 0; i < 50; ++i)
    team.run([&](std::int32_t m) { ++runs[static_cast<std::size_t>(m)]; });
  EXPECT_EQ(runs, (std::vector<int>{50, 50, 50}));
}

TEST(ThreadTeam, TimeIsTheSlowestMembers) {
  ThreadTeam team(2, 16, false);
  const double seconds = team.run([](std::int32_t member) {
    if (member == 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
  });
  EXPECT_GE(seconds, 0.03);
  EXPECT_LT(seconds, 10.0);
}

TEST(ThreadTeam, MembersWorkAtTheSameTime) {
  ThreadTeam team(2, 16, false);
  std::atomic<int> here{0};
  team.run([&](std::int32_t) {
    here.fetch_add(1);
    while (here.load() < 2) std::this_thread::yield();  // ends only if both are inside
  });
  EXPECT_EQ(here.load(), 2);
}

TEST(ThreadTeam, SleepingMembersWakeUp) {
  ThreadTeam team(2, 16, false);
  int runs = 0;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    team.run([&](std::int32_t member) {
      if (member == 1) ++runs;
    });
  }
  EXPECT_EQ(runs, 3);
}

TEST(ThreadTeam, PinsToDistinctCpusAndGivesTheCallersMaskBack) {
  const auto before = affinity_cpus();
  if (before.size() < 2) GTEST_SKIP() << "needs two CPUs in the affinity mask";
  {
    ThreadTeam team(2, 16, true);
    std::vector<int> cpus(2, -1);
    team.run([&](std::int32_t m) { cpus[static_cast<std::size_t>(m)] = sched_getcpu(); });
    EXPECT_EQ(cpus, (std::vector<int>{before[0], before[1]}));
  }
  EXPECT_EQ(affinity_cpus(), before);
}

}  // namespace
}  // namespace fabricast
