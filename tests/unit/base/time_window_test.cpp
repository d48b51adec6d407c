#include "emulator/base/time_window.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

TEST(TimeWindow, ReadsBothEndsOrOne) {
  EXPECT_EQ(parse_time_window("10us:20us"), (TimeWindow{10'000'000, 20'000'000}));
  EXPECT_EQ(parse_time_window("1.5ns:"), (TimeWindow{1'500, TimeWindow::no_end}));
  EXPECT_EQ(parse_time_window(":2ms"), (TimeWindow{0, 2'000'000'000}));
  for (const char* text : {"10us:20us", "7ps:", ":2ms"}) {
    const TimeWindow window = parse_time_window(text);
    EXPECT_EQ(parse_time_window(to_string(window)), window) << to_string(window);
  }
  EXPECT_TRUE(TimeWindow{}.is_everything());
}

TEST(TimeWindow, RefusesWhatIsNone) {
  for (const char* text : {"", ":", "10us", "10:20", "20us:10us", "10us:10us", "-1us:2us",
                           "1us:2us:3us", "nan:1us", "0us:1e30s", "5GB:6GB"}) {
    EXPECT_THROW(parse_time_window(text), UsageError) << text;
  }
}

TEST(TimeWindow, IsHalfOpen) {
  const TimeWindow window{10, 20};
  EXPECT_FALSE(window.overlaps(0, 10));
  EXPECT_TRUE(window.overlaps(0, 11));
  EXPECT_TRUE(window.overlaps(19, 30));
  EXPECT_FALSE(window.overlaps(20, 30));
  EXPECT_TRUE(window.overlaps(0, 100));
  // What takes no time.
  EXPECT_TRUE(window.overlaps(10, 10));
  EXPECT_FALSE(window.overlaps(9, 9));
  EXPECT_FALSE(window.overlaps(20, 20));
}

}  // namespace
}  // namespace fabricast
