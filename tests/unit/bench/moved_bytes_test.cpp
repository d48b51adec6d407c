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
  // A rank, in parts of a rank's share: send 1 loaded and 1 stored; n-2 times reduce and send 2 and
  // 1; once reduce, keep and send 2 and 2; n-2 times keep and send 1 and 2; keep 1 and 1.
  for (const std::int32_t n : {2, 3, 8}) {
    SCOPED_TRACE(n);
    const std::int64_t bytes = n * 8 * 240 * 16;
    const MovedBytes all = moved({.ranks = n, .bytes = bytes});
    EXPECT_EQ(all.loaded, (1 + 2 * (n - 2) + 2 + (n - 2) + 1) * bytes);
    EXPECT_EQ(all.stored, (1 + (n - 2) + 2 + 2 * (n - 2) + 1) * bytes);
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
    EXPECT_EQ(lines.loaded - simple.loaded, more);
    EXPECT_EQ(lines.stored - simple.stored, more);
  }
}

TEST(MovedBytes, WhatIsThereAlreadyIsNotCopied) {
  Wanted gather{.collective = Collective::all_gather};
  const MovedBytes copied = moved(gather);
  gather.in_place = true;
  const MovedBytes in_place = moved(gather);
  // Every rank's own block, stored beside its input; it is loaded to be sent all the same.
  EXPECT_EQ(copied.stored - in_place.stored, gather.bytes);
  EXPECT_EQ(copied.loaded, in_place.loaded);
  EXPECT_EQ(copied.touched - in_place.touched, gather.bytes);
}

TEST(MovedBytes, TouchesBuffersAndTheSlotsThatAreUsed) {
  // A broadcast of one message per connection: one slot each, however many there are.
  const std::int64_t bytes = 240 * 16;
  const MovedBytes all = moved({.collective = Collective::broadcast, .ranks = 4, .bytes = bytes});
  const std::int64_t buffers = (4 + 1) * bytes;  // outputs, and the root's input
  EXPECT_GE(all.touched, buffers + 3 * bytes);
  EXPECT_LE(all.touched,
            buffers + 3 * bytes + 3 * bytes + 4096);  // inputs that others have and do not use
  EXPECT_LT(moved({.collective = Collective::broadcast, .ranks = 4, .bytes = 64 * bytes}).touched,
            64 * 8 * bytes + 3 * 8 * bytes + 4096);
}

}  // namespace
}  // namespace fabricast
