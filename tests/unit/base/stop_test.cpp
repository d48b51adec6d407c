// Signals and hangs, each in a child process: what ends it, with which code, saying what.
#include "emulator/base/stop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "emulator/base/run_phase.hpp"

namespace fabricast {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void sleep_on() {
  while (true) std::this_thread::sleep_for(milliseconds(10));
}

TEST(StopDeathTest, WithoutARunASignalEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        ::kill(::getpid(), SIGTERM);
        sleep_on();
      },
      testing::ExitedWithCode(5), "stopped by SIGTERM in phase init: nothing was finished yet");
}

TEST(StopDeathTest, ARunLooksAndLeavesByItself) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        const StoppableRun run;
        ::kill(::getpid(), SIGUSR1);
        while (stop_signal() == 0) std::this_thread::sleep_for(milliseconds(1));
        std::_Exit(stop_signal() == SIGUSR1 ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

TEST(StopDeathTest, ARunThatDoesNotLookIsEndedWithItsNote) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        const StoppableRun run;
        enter_phase(RunPhase::simulate);
        set_stop_note("7 points are kept");
        ::kill(::getpid(), SIGINT);
        sleep_on();
      },
      testing::ExitedWithCode(5), "stopped by SIGINT in phase simulate: 7 points are kept");
}

// mpirun stops the processes of a refused run that leave later than the first one: the refusal was
// said, and its exit code stands.
TEST(StopDeathTest, WhoIsLeavingWithACodeLeavesWithItAndSaysNothing) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        leaving_with(ExitCode::usage);
        ::kill(::getpid(), SIGTERM);
        sleep_on();
      },
      testing::ExitedWithCode(2), "^$");
}

TEST(StopDeathTest, AProcessWithoutProgressIsEnded) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        enter_phase(RunPhase::write);
        set_progress_limit(0.2);
        sleep_on();
      },
      testing::ExitedWithCode(3), "no progress for 0 s in phase write");
}

TEST(StopDeathTest, ProgressKeepsAProcessAlive) {
  EXPECT_EXIT(
      {
        watch_for_stop();
        set_progress_limit(2);
        for (int i = 0; i < 30; ++i) {
          std::this_thread::sleep_for(milliseconds(100));
          mark_progress();
        }
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(FaultHook, AnUnknownFaultIsRefused) {
  ::setenv("FABRICAST_FAULT", "melt:write:0", 1);
  EXPECT_THROW(enter_phase(RunPhase::write), UsageError);
  EXPECT_NO_THROW(enter_phase(RunPhase::simulate));
  ::setenv("FABRICAST_FAULT", "melt", 1);
  EXPECT_THROW(enter_phase(RunPhase::simulate), UsageError);
  ::setenv("FABRICAST_FAULT", "throw:write:1", 1);
  EXPECT_NO_THROW(enter_phase(RunPhase::write));
  ::unsetenv("FABRICAST_FAULT");
}

}  // namespace
}  // namespace fabricast
