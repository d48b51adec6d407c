#include "emulator/base/progress.hpp"

#include <gtest/gtest.h>

#include <string>

#include "emulator/base/log.hpp"

namespace fabricast {
namespace {

std::string told(ProgressBar::Form form, std::chrono::milliseconds between_lines) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("emulate x", 4, form, between_lines);
    bar.advance();
    bar.advance(2);
  }
  return testing::internal::GetCapturedStderr();
}

TEST(Progress, OutsideATerminalItIsALineNowAndThen) {
  using std::chrono::milliseconds;
  const std::string text = told(ProgressBar::Form::lines, milliseconds(0));
  EXPECT_EQ(text,
            "fabricast: emulate x: 1 of 4 done after 0 s\n"
            "fabricast: emulate x: 3 of 4 done after 0 s\n");
  EXPECT_EQ(told(ProgressBar::Form::lines, milliseconds(100'000)), "")
      << "a short run says nothing";
  EXPECT_EQ(told(ProgressBar::Form::none, milliseconds(0)), "");
  EXPECT_NE(told(ProgressBar::Form::bar, milliseconds(0)).find("\remulate x ["), std::string::npos);
}

TEST(Progress, IsForRankZeroThatIsNotQuiet) {
  EXPECT_EQ(ProgressBar::wanted(1), ProgressBar::Form::none);
  const Verbosity before = verbosity();
  set_verbosity(Verbosity::quiet);
  EXPECT_EQ(ProgressBar::wanted(0), ProgressBar::Form::none);
  set_verbosity(before);
  EXPECT_NE(ProgressBar::wanted(0), ProgressBar::Form::none);
}

}  // namespace
}  // namespace fabricast
