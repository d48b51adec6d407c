// The hand-off of suite hand_off that a host can run: data, then a released counter.
#include "bench/suites/line_ping_pong.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "kernels/lane/group.hpp"

namespace fabricast::micro {
namespace {

TEST(LinePingPong, EveryMessageArrivesWholeAndInOrder) {
  constexpr std::int64_t bytes = 480;
  constexpr std::uint32_t rounds = 300;
  std::uint64_t flags[2] = {0, 0};
  std::vector<std::uint32_t> data[2] = {std::vector<std::uint32_t>(bytes / 4),
                                        std::vector<std::uint32_t>(bytes / 4)};
  std::int32_t wrong[2] = {0, 0};
  const auto side = [&](int me) {
    const lane::SingleThread group;
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      if (me == 0) send_simple(group, flags[1], data[1].data(), bytes, round);
      const auto seen = receive_simple(group, flags[me], data[me].data(), bytes, round);
      ASSERT_GE(seen, 0) << "round " << round;
      wrong[me] += seen;
      if (me == 1) send_simple(group, flags[0], data[0].data(), bytes, round);
    }
  };
  std::thread other(side, 1);
  side(0);
  other.join();
  EXPECT_EQ(wrong[0], 0);
  EXPECT_EQ(wrong[1], 0);
}

TEST(LinePingPong, AMessageThatNeverComesEndsTheWaitAndAWrongOneIsCounted) {
  std::uint64_t flag = 0;
  std::vector<std::uint32_t> data(30);
  const lane::SingleThread group;
  EXPECT_EQ(receive_simple(group, flag, data.data(), 120, 1), -1);
  send_simple(group, flag, data.data(), 120, 1);
  data[7] ^= 1;
  EXPECT_EQ(receive_simple(group, flag, data.data(), 120, 1), 1);
}

TEST(LinePingPong, LinesHoldAllBytes) {
  EXPECT_EQ(lines_for(120, ll_line_data), 15);
  EXPECT_EQ(lines_for(121, ll_line_data), 16);
  EXPECT_EQ(lines_for(120, ll128_line_data), 1);
  EXPECT_EQ(lines_for(121, ll128_line_data), 2);
  EXPECT_NE(pattern(1, 0), pattern(2, 0));
}

}  // namespace
}  // namespace fabricast::micro
