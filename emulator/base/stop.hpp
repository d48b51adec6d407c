// Being asked to stop: SIGTERM, SIGINT and SIGUSR1 (a batch system's early warning).
//
// A thread of its own receives the signals, so nothing else is ever interrupted by them, and looks
// whether the process still makes progress (run_phase.hpp). It raises a flag that the long loops of
// a run look at; they keep what is finished and throw Interrupted. What has not ended `stop_grace_seconds` after the signal is ended here, with exit code 5 (mpirun kills
// its ranks 1 s after it has sent SIGTERM; measured with Open MPI 4.1). Thread safe.
#pragma once

#include <string>

#include "emulator/base/error.hpp"

namespace fabricast {

inline constexpr double stop_grace_seconds = 0.5;

// Stopped by a signal. The message says what is left and how to go on.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ExitCode::interrupted, message) {}
};

// First thing in main, before any other thread exists: they must inherit the blocked signals.
void watch_for_stop();

// The signal that asked, 0 if none did.
int stop_signal();
// "stopped by SIGTERM in phase simulate".
std::string stopped_text();

// While one exists a run is under way that looks at stop_signal(); without one, the process ends as
// soon as it is asked to.
class StoppableRun {
 public:
  StoppableRun();
  ~StoppableRun();
  StoppableRun(const StoppableRun&) = delete;
  StoppableRun& operator=(const StoppableRun&) = delete;
};

// The process is about to end with this code, and all has been said: a signal from now on ends it
// silently with that code. mpirun sends one to those that leave a little later than the first.
void leaving_with(ExitCode code);

// What to tell the user if the process has to be ended in the middle of something.
void set_stop_note(const std::string& note);

}  // namespace fabricast
