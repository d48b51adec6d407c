#include "emulator/base/error.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

TEST(Error, MessageIsOnePrintableLine) {
  EXPECT_STREQ(UsageError("a\nb\tc\rd").what(), "a\\nb\\tc\\x0dd");
  EXPECT_STREQ(IoError("\x1b[31mred\x7f").what(), "\\x1b[31mred\\x7f");
  EXPECT_STREQ(CheckError("\xC2\x9B"
                          "31m")
                   .what(),
               "\\u009b31m")
      << "a terminal's CSI in one character";
  EXPECT_EQ(std::string(UsageError(std::string("a\0b", 3)).what()), "a\\x00b");
}

TEST(Error, OrdinaryTextIsUnchanged) {
  const std::string text = "machine.yaml:3:1: gpus: \"µs\" °C (why) é, C:\\n what to do";
  EXPECT_EQ(UsageError(text).what(), text);
}

TEST(Error, LongMessageKeepsItsEnds) {
  std::string long_text = "f.yaml:1:1: ";
  for (int i = 0; i < 100'000; ++i) long_text += "é";
  const std::string message = UsageError(long_text + "; remove it").what();
  EXPECT_LE(message.size(), max_message_bytes);
  EXPECT_GT(message.size(), max_message_bytes / 2);
  EXPECT_TRUE(message.starts_with("f.yaml:1:1: éé"));
  EXPECT_TRUE(message.ends_with("éé; remove it"));
  EXPECT_NE(message.find("é [...] é"), std::string::npos) << "cut between characters";
}

}  // namespace
}  // namespace fabricast
