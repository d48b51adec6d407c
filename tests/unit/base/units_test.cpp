#include "emulator/base/units.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

TEST(Units, TransferTimeRoundsUp) {
  EXPECT_EQ(transfer_time(Bytes(1), Bandwidth(1'000'000'000'000)).value(), 1);
  EXPECT_EQ(transfer_time(Bytes(1), Bandwidth(3'000'000'000'000)).value(), 1);
  EXPECT_EQ(transfer_time(Bytes(0), Bandwidth(1)).value(), 0);
  // 900 GB at 900 GB/s is exactly one second, through a 128-bit intermediate.
  EXPECT_EQ(transfer_time(Bytes(900'000'000'000), Bandwidth(900'000'000'000)).value(), ps_per_s);
  EXPECT_EQ(transfer_time(Bytes(INT64_MAX), Bandwidth(1)), SimDuration::max());
}

TEST(Units, DurationsFromMicroseconds) {
  EXPECT_EQ(duration_from_us(0.0).value(), 0);
  EXPECT_EQ(duration_from_us(2.5).value(), 2'500'000);
  EXPECT_DOUBLE_EQ(to_us(SimDuration(2'500'000)), 2.5);
}

}  // namespace
}  // namespace fabricast
