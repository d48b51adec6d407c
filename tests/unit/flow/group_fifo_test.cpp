#include "emulator/flow/group_fifo.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fabricast {
namespace {

using Lanes = std::vector<std::int32_t>;

// Each lane is woken once a round, by the last of what it waits for.
TEST(GroupFifo, wakes_a_lane_when_the_last_of_the_others_is_there) {
  constexpr std::int32_t members = 72;
  GroupFifo fifo(members, 2);
  for (std::int32_t m = 0; m < members; ++m) EXPECT_FALSE(fifo.ready(m, m));
  Lanes woken;
  for (std::int32_t m = 0; m < members - 2; ++m) fifo.arrive(m, 100 + m, woken);
  EXPECT_EQ(woken, Lanes{});
  fifo.arrive(members - 1, 7, woken);
  EXPECT_EQ(woken, Lanes{members - 2});  // which waits for all but itself
  EXPECT_EQ(fifo.ready(members - 2, members - 2), 100 + members - 3);
  EXPECT_FALSE(fifo.ready(0, 0));
  woken.clear();
  fifo.arrive(members - 2, 500, woken);
  EXPECT_EQ(woken.size(), members - 1U);
  EXPECT_EQ(std::count(woken.begin(), woken.end(), members - 2), 0);
  EXPECT_EQ(fifo.ready(0, 0), 500);
  EXPECT_EQ(fifo.ready(members - 2, members - 2), 100 + members - 3);  // its own was the latest
}

// A slot is free for a member when all others have taken what was in it.
TEST(GroupFifo, a_slot_is_used_again_when_all_others_have_taken_the_message) {
  GroupFifo fifo(3, 1);
  Lanes woken;
  for (std::int32_t m = 0; m < 3; ++m) {
    EXPECT_TRUE(fifo.slots(m, 10 + m));
    fifo.send(m);
    fifo.arrive(m, 5, woken);
  }
  EXPECT_EQ(woken, Lanes{});  // nobody had asked for messages
  EXPECT_FALSE(fifo.slots(0, 10));
  fifo.take(1, 20, woken);
  EXPECT_FALSE(fifo.slots(0, 10));
  fifo.take(2, 30, woken);
  EXPECT_EQ(woken, Lanes{10});
  EXPECT_EQ(fifo.slots(0, 10), 30);
  EXPECT_FALSE(fifo.slots(2, 12));
  fifo.take(0, 40, woken);
  EXPECT_EQ(woken, (Lanes{10, 11, 12}));
  EXPECT_EQ(fifo.slots(2, 12), 40);
  EXPECT_EQ(fifo.slots(0, 10), 30);
}

// Rounds that are over leave nothing behind.
TEST(GroupFifo, memory_does_not_grow_with_the_rounds) {
  GroupFifo fifo(4, 3);
  Lanes woken;
  std::int64_t early = 0;
  for (std::int64_t round = 0; round < 10'000; ++round) {
    for (std::int32_t m = 0; m < 4; ++m) {
      ASSERT_TRUE(fifo.slots(m, m));
      fifo.send(m);
      fifo.arrive(m, round, woken);
    }
    for (std::int32_t m = 0; m < 4; ++m) {
      ASSERT_EQ(fifo.ready(m, m), round);
      fifo.take(m, round, woken);
    }
    woken.clear();
    if (round == 100) early = fifo.bytes();
  }
  EXPECT_EQ(fifo.bytes(), early);
}

}  // namespace
}  // namespace fabricast
