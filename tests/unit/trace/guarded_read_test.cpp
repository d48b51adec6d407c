#include "emulator/trace/guarded_read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& read) {
  try {
    require_survivable("some.h5", 0, read);
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

TEST(GuardedRead, WhatEndsIsSurvivable) {
  int touched = 0;
  require_survivable("some.h5", 0, [&] { ++touched; });
  EXPECT_EQ(touched, 0) << "it ran in this process";
  EXPECT_EQ(refusal([] { throw CheckError("the parent says this itself"); }), "");
  EXPECT_EQ(refusal([] { throw std::runtime_error("anything"); }), "");
}

TEST(GuardedRead, CrashesAndEndlessReadingAreRefusals) {
  EXPECT_THAT(refusal([] { std::raise(SIGSEGV); }),
              HasSubstr("cannot read some.h5 (libhdf5 crashes"));
  EXPECT_THAT(refusal([] { std::abort(); }), HasSubstr("Aborted"));
  EXPECT_THAT(refusal([] { std::raise(SIGXCPU); }), HasSubstr("does not end"));
  EXPECT_THAT(refusal([] { std::raise(SIGKILL); }), HasSubstr("was killed"));
  EXPECT_THAT(refusal([] {
                volatile bool forever = true;
                while (forever) {
                }
              }),
              HasSubstr("does not end"));  // 3 s of processor time
}

}  // namespace
}  // namespace fabricast
