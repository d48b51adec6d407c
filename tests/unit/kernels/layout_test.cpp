#include "kernels/lane/layout.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fabricast::lane {
namespace {

TEST(SplitEvenly, PartsAreAdjacentAndDifferByAtMostOne) {
  for (std::int64_t total = 0; total < 40; ++total) {
    for (std::int32_t parts = 1; parts < 9; ++parts) {
      std::int64_t next = 100;
      for (std::int32_t i = 0; i < parts; ++i) {
        const Range part = split_evenly({100, total}, parts, i);
        EXPECT_EQ(part.first, next);
        EXPECT_GE(part.count, total / parts);
        EXPECT_LE(part.count, (total + parts - 1) / parts);
        next += part.count;
      }
      EXPECT_EQ(next, 100 + total);
    }
  }
}

TEST(SlotOffset, KeepsTheRemainderOfTheUsersBytes) {
  for (std::int64_t cursor = 0; cursor < 40; ++cursor) {
    for (std::int64_t first = 0; first < 50; first += 2) {
      const std::int64_t offset = slot_offset(cursor, first);
      EXPECT_EQ(offset % 16, first % 16);
      EXPECT_GE(offset, cursor);
      EXPECT_LT(offset, cursor + 16);
    }
  }
}

TEST(MessagePart, BlocksMoveTheBaseNotTheInside) {
  const std::int32_t owners[] = {2, 0, 1};
  ChannelLayout layout;
  layout.share = {10, 7};
  layout.slices = 2;
  layout.block = 100;
  layout.block_of_chunk = owners;
  layout.chunks = 3;
  const MessagePart part = message_part(layout, 0, 0, 1);
  EXPECT_EQ(part.base, 200);
  EXPECT_EQ(part.within.first, 14);
  EXPECT_EQ(part.within.count, 3);
}

TEST(MessagePart, AChunkIsAPartOfItsOwnersBlock) {
  const std::int32_t owners[] = {1, 1, 0, 0};
  ChannelLayout layout;
  layout.share = {0, 9};
  layout.parts = 2;
  layout.block = 9;
  layout.block_of_chunk = owners;
  layout.chunks = 4;
  const MessagePart first = message_part(layout, 0, 0, 0);
  const MessagePart second = message_part(layout, 0, 1, 0);
  EXPECT_EQ(first.base, 9);
  EXPECT_EQ(first.within.count, 5);
  EXPECT_EQ(second.base, 9);
  EXPECT_EQ(second.within.first, 5);
  EXPECT_EQ(second.within.count, 4);
  EXPECT_EQ(message_part(layout, 0, 2, 0).base, 0);
}

TEST(ChunkLists, StridesWrapAroundInTheirBuffer) {
  ChannelLayout layout;
  layout.chunks = 7;
  layout.scratch_chunks = 10;
  const auto listed = [&](bool scratch) {
    std::vector<std::int32_t> all;
    for (std::int32_t i = 0; i < 3; ++i) all.push_back(layout.listed(5, i, 1, scratch));
    return all;
  };
  EXPECT_EQ(listed(false), (std::vector<std::int32_t>{5, 0, 2}));
  EXPECT_EQ(listed(true), (std::vector<std::int32_t>{5, 7, 9}));
}

}  // namespace
}  // namespace fabricast::lane
