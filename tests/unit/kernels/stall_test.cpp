#include "kernels/lane/stall.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace fabricast::lane {
namespace {

struct Watched {
  ProgressLine progress[2];
  std::uint64_t stop = 0;
  StallRecord record;
  RunControl control(double seconds) {
    return {progress, 2, &stop, &record, static_cast<std::uint64_t>(seconds * 1e9)};
  }
};

TEST(StallWatch, ReportsAfterTheLimitAndNotLongAfter) {
  Watched watched;
  const RunControl control = watched.control(0.05);
  StallWatch watch;
  const auto start = std::chrono::steady_clock::now();
  while (watch.look(control, false) == StallWatch::Verdict::wait) {
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited.count(), 0.05);
  EXPECT_LT(waited.count(), 1.0);
}

TEST(StallWatch, ProgressOfAnyGroupRestartsTheWait) {
  Watched watched;
  const RunControl control = watched.control(0.02);
  StallWatch watch;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  while (elapsed() < 0.2) {
    control.count_step(1);  // somebody else works
    ASSERT_EQ(watch.look(control, false), StallWatch::Verdict::wait);
  }
}

TEST(StallWatch, LooksAtTheClockAfterEveryYield) {
  Watched watched;
  const RunControl control = watched.control(0.02);
  StallWatch watch;
  int looks = 0;
  for (; watch.look(control, true) == StallWatch::Verdict::wait; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));  // a yield on a busy machine
  }
  EXPECT_LE(looks, 3);  // more than half the limit passes at each
}

TEST(StallWatch, SeesThatTheRunWasStopped) {
  Watched watched;
  const RunControl control = watched.control(100);
  EXPECT_TRUE(claim(watched.stop, 1));
  EXPECT_FALSE(claim(watched.stop, 1)) << "only one group writes the record";
  StallWatch watch;
  StallWatch::Verdict verdict = StallWatch::Verdict::wait;
  for (int i = 0; i < 1000 && verdict == StallWatch::Verdict::wait; ++i)
    verdict = watch.look(control, false);
  EXPECT_EQ(verdict, StallWatch::Verdict::stopped);
}

}  // namespace
}  // namespace fabricast::lane
