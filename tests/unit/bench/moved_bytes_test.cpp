// What a run moves, against counts by hand.
#include "bench/harness/moved_bytes.hpp"

#include <gtest/gtest.h>

#include "emulator/runtime/compile_plan.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

struct Wanted {
  Collective collective = Collective::all_reduce;
  const char* algorithm = "ring";
  std::int32_t ranks = 8;
  std::int64_t bytes = 8 * 8 * 240 * 16;  // whole lines of every protocol in every slice
  bool in_place = false;
  HandOff hand_off = HandOff::simple;
};

MovedBytes moved(const Wanted& wanted) {
  PlanLimits limits;
  limits.channels = 1;
  limits.max_chunk_bytes = limits.max_slice_bytes = 240 * 16;
  const auto plan = make_plan(wanted.collective, wanted.algorithm, RankSpace{wanted.ranks},
                              wanted.bytes, 4, limits);
  return moved_bytes(
      compile_plan({&plan, DataType::float32, ReduceOp::sum, wanted.in_place, wanted.hand_off}, 0,
                   wanted.ranks)
          .image);
}

TEST(MovedBytes, OfARingAllReduce) {
  // A rank, in parts of a rank's share: send; n-2 times reduce and send; once reduce, keep and
  // send; n-2 times keep and send; keep. Slots are loaded and stored once by each of 2 (n - 1)
  // messages.
  for (const std::int32_t n : {2, 3, 8}) {
    SCOPED_TRACE(n);
    const std::int64_t bytes = n * 8 * 240 * 16;
    const MovedBytes all = moved({.ranks = n, .bytes = bytes});
    EXPECT_EQ(all.buffers.loaded, (1 + (n - 2) + 1) * bytes);
    EXPECT_EQ(all.buffers.stored, (1 + (n - 2) + 1) * bytes);
    EXPECT_EQ(all.slots.loaded, 2 * (n - 1) * bytes);
    EXPECT_EQ(all.slots.stored, 2 * (n - 1) * bytes);
    EXPECT_EQ(all.buffers.moved() + all.slots.moved(), (6 * n - 4) * bytes);
  }
}

TEST(MovedBytes, FlagsAreMovedToo) {
  const Wanted plain;
  const MovedBytes simple = moved(plain);
  // 2 (n - 1) messages of a share pass through slots, stored once and loaded once.
  const std::int64_t slots = 2 * (plain.ranks - 1) * plain.bytes;
  for (const auto& [hand_off, more] :
       {std::pair{HandOff::ll, slots}, {HandOff::ll128, slots / 15}}) {
    SCOPED_TRACE(to_string(hand_off));
    const MovedBytes lines = moved({.hand_off = hand_off});
    EXPECT_EQ(lines.slots.loaded - simple.slots.loaded, more);
    EXPECT_EQ(lines.slots.stored - simple.slots.stored, more);
    EXPECT_EQ(lines.buffers.moved(), simple.buffers.moved());
  }
}

TEST(MovedBytes, EveryChunkOfAMessageStartsLinesOfItsOwn) {
  // Recursive halving and doubling on 4 ranks: 2 messages of two chunks, 2 of one, from every rank;
  // chunks of 12 bytes, which lie 0, 12, 24 and 36 bytes into the message.
  const Wanted wanted{.algorithm = "halving_doubling", .ranks = 4, .bytes = 4 * 12};
  const auto slots = [&](HandOff hand_off) {
    Wanted with = wanted;
    with.hand_off = hand_off;
    return moved(with).slots;
  };
  constexpr std::int64_t chunk_messages = 4 * (2 + 1) * 2;
  EXPECT_EQ(slots(HandOff::simple).stored, chunk_messages * 12);
  for (const auto& [hand_off, of_a_chunk] :
       {std::pair{HandOff::ll, 2 * 16}, {HandOff::ll128, 128}}) {
    SCOPED_TRACE(to_string(hand_off));
    EXPECT_EQ(slots(hand_off).stored, chunk_messages * of_a_chunk);
    EXPECT_EQ(slots(hand_off).loaded, chunk_messages * of_a_chunk);
  }
}

TEST(MovedBytes, PaddingBeforeAnUnalignedChunkIsMovedToo) {
  // Chunks of 20 and 16 bytes, 3 and 2 lines of LL; but the second starts in the middle of 8 bytes,
  // and 4 + 16 are 3 lines.
  const Wanted wanted{.ranks = 2, .bytes = 20 + 16, .hand_off = HandOff::ll};
  // Both chunks once reduced and once gathered.
  EXPECT_EQ(moved(wanted).slots.stored, 2 * (3 + 3) * 16);
}

TEST(MovedBytes, WhatIsThereAlreadyIsNotCopied) {
  Wanted gather{.collective = Collective::all_gather};
  const MovedBytes copied = moved(gather);
  gather.in_place = true;
  const MovedBytes in_place = moved(gather);
  // Every rank's own block, stored beside its input; it is loaded to be sent all the same.
  EXPECT_EQ(copied.buffers.stored - in_place.buffers.stored, gather.bytes);
  EXPECT_EQ(copied.buffers.loaded, in_place.buffers.loaded);
  EXPECT_EQ(copied.buffers.touched - in_place.buffers.touched, gather.bytes);
  EXPECT_EQ(copied.slots.moved(), in_place.slots.moved());
}

TEST(MovedBytes, TouchesBuffersAndTheSlotsThatAreUsed) {
  // A broadcast of one message per connection: one slot each, however many there are.
  const std::int64_t bytes = 240 * 16;
  const MovedBytes all = moved({.collective = Collective::broadcast, .ranks = 4, .bytes = bytes});
  const std::int64_t buffers = (4 + 1) * bytes;  // outputs, and the root's input
  EXPECT_GE(all.buffers.touched, buffers);
  // Inputs that others have and do not use.
  EXPECT_LE(all.buffers.touched, buffers + 3 * bytes + 4096);
  EXPECT_EQ(all.slots.touched, 3 * bytes);
  EXPECT_EQ(all.slots.moved(), 2 * 3 * bytes);
  const MovedBytes large =
      moved({.collective = Collective::broadcast, .ranks = 4, .bytes = 64 * bytes});
  EXPECT_EQ(large.slots.moved(), 64 * all.slots.moved());
  EXPECT_LE(large.slots.touched, 3 * 8 * bytes) << "slots are used again";
}

}  // namespace
}  // namespace fabricast
