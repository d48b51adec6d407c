#include "emulator/report/log_axis.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> result;
  for (const Tick& tick : ticks) {
    if (!tick.label.empty()) result.push_back(tick.label);
  }
  return result;
}

TEST(LogAxis, EndsAndMiddle) {
  const LogAxis axis(1, 10'000, 100, 300);
  EXPECT_DOUBLE_EQ(axis.position(1), 100);
  EXPECT_DOUBLE_EQ(axis.position(100), 200);
  EXPECT_DOUBLE_EQ(axis.position(10'000), 300);
  EXPECT_DOUBLE_EQ(LogAxis(1, 100, 300, 100).position(10), 200);
}

TEST(LogAxis, SizeTicksReadLikeSizes) {
  const LogAxis wide(8, 16.0 * 1024 * 1024 * 1024, 0, 1000);
  const std::vector<std::string> all{"8 B", "1 KiB", "1 MiB", "1 GiB", "16 GiB"};
  EXPECT_EQ(labels(wide.size_ticks(50)), all);
  // Narrow: the ends stay, what would touch them keeps its grid line only.
  const LogAxis narrow(8, 16.0 * 1024 * 1024 * 1024, 0, 300);
  const std::vector<std::string> few{"8 B", "1 KiB", "1 MiB", "16 GiB"};
  EXPECT_EQ(labels(narrow.size_ticks(50)), few);
  EXPECT_EQ(narrow.size_ticks(50).size(), 5u);
}

TEST(LogAxis, AShortSweepHasTicksBetweenItsEnds) {
  const double mib = 1024.0 * 1024;
  const std::vector<std::string> fours{"1 MiB", "4 MiB", "16 MiB", "64 MiB"};
  EXPECT_EQ(labels(LogAxis(mib, 64 * mib, 0, 1000).size_ticks(58)), fours);
  const std::vector<std::string> twos{"1 MiB", "2 MiB", "4 MiB"};
  EXPECT_EQ(labels(LogAxis(mib, 4 * mib, 0, 1000).size_ticks(58)), twos);
}

TEST(LogAxis, DecadeTicks) {
  const std::vector<std::string> all{"0.01", "0.1", "1", "10"};
  EXPECT_EQ(labels(LogAxis(0.01, 10, 300, 0).decade_ticks(17)), all);
  const std::vector<std::string> small{"1e-5", "1e-4", "0.001"};
  EXPECT_EQ(labels(LogAxis(1e-5, 1e-3, 300, 0).decade_ticks(17)), small);
  const std::vector<std::string> half{"0.01", "1"};
  EXPECT_EQ(labels(LogAxis(0.01, 10, 30, 0).decade_ticks(17)), half);
}

}  // namespace
}  // namespace fabricast
